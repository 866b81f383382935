//! Previews beside their base.

use insta::assert_snapshot;

use super::world::World;

const INVENTORY: &str = r#"
recipes = ["lb", "web"]
[hosts]
host-1 = { address = "192.0.2.1" }
[consul]
address = "127.0.0.1:8500"
[previews]
recipes = ["web"]
"#;

const LB: &str = r#"
hosts = "all"
[container]
image = "lb:1"
[balancer]
upstreams = "docker exec {{container}} upstreams"
"#;

/// One that starts before the old one goes, or after.
fn web(order: &str) -> String {
    format!(
        r#"
hosts = "all"
[container]
image = "web:{{{{version}}}}"
[rollout]
order = "{order}"
[drain]
balancers = ["lb"]
"#
    )
}

/// The base, deployed, and the preview.
fn worlds(order: &str) -> (World, World) {
    let recipe = web(order);
    let recipes = [("lb", LB), ("web", &*recipe)];
    let mut base = World::new(INVENTORY, &recipes);
    base.deploy();
    let preview = World::preview(INVENTORY, &recipes, &base);
    (base, preview)
}

#[test]
fn a_preview_has_names_of_its_own_and_leaves_the_base_alone() {
    let (mut base, mut preview) = worlds("start-first");
    assert_snapshot!(preview.deploy());
    preview.set("version", "2");
    assert_snapshot!(preview.deploy());
    assert_snapshot!(preview.docker.listed("host-1"));
    base.docker = preview.docker.clone();
    assert_snapshot!(base.plan());
}

#[test]
fn where_the_old_one_goes_first_the_name_is_the_previews_own_as_well() {
    let (_, mut preview) = worlds("stop-first");
    preview.deploy();
    preview.set("version", "2");
    assert_snapshot!(preview.deploy());
    assert_snapshot!(preview.roll_back(1));
    preview.set("version", "3");
    assert_snapshot!(preview.deploy());
    assert_snapshot!(preview.docker.listed("host-1"));
}

#[test]
fn what_a_preview_shares_must_run() {
    let (_, mut preview) = worlds("start-first");
    preview.docker.container("host-1", "lb-r1").status = "exited";
    assert_snapshot!(preview.plan());
    preview.docker.container("host-1", "lb-r1").status = "running";
    preview.deploy();
    // A preview that stays as it is needs nothing.
    preview.docker.container("host-1", "lb-r1").status = "exited";
    assert_snapshot!(preview.plan());
}

#[test]
fn what_a_preview_shares_must_be_healthy_where_it_runs() {
    let (mut base, mut preview) = worlds("start-first");
    let obstacles = |preview: &World| {
        let all = preview.planned().obstacles.into_iter();
        all.map(|it| it.message).collect::<Vec<_>>()
    };
    let mut says = |health: &'static str, status: &'static str| {
        let lb = base.docker.container("host-1", "lb-r1");
        (lb.health, lb.status) = (Some(health), status);
        preview.docker = base.docker.clone();
        obstacles(&preview)
    };
    assert_eq!(says("healthy", "running"), [""; 0]);
    assert_eq!(says("starting", "running"), [""; 0]);
    let unhealthy = "docker says that `lb-r1` of `staging` is unhealthy, and `web` needs it";
    assert_eq!(says("unhealthy", "running"), [unhealthy]);
    let down = "`lb` of `staging` does not run on `host-1`, and `web` needs it";
    assert_eq!(says("unhealthy", "exited"), [down]);
}
