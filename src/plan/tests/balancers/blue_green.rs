//! What a plan says of both versions at once with `order = "blue-green"`.

use super::super::world::World;

const HOSTS: &str = r#"
recipes = ["lb", "web"]
[consul]
address = "127.0.0.1:8500"
[hosts]
app-1 = { address = "192.0.2.1", groups = ["apps"] }
app-2 = { address = "192.0.2.2", groups = ["apps"] }
lb-1 = { address = "192.0.2.3", groups = ["lbs"] }
"#;

const LIST: &str =
    "upstreams = \"u\"\nbackends = { template = \"list\", to = \"/list\", reload = \"r\" }";
const COMMANDS: &str = "upstreams = \"u\"\nadd = \"a\"\nremove = \"r\"";
const CONSUL: &str = "upstreams = \"u\"";

/// The second deploy's warnings, with this balancer, these lines in `[drain]` and this order.
fn warnings(hosts: &str, balancer: &str, drain: &str, order: &str, limit: &[&str]) -> Vec<String> {
    let lb = format!("hosts = \"lbs\"\n[container]\nimage = \"lb:1\"\n[balancer]\n{balancer}\n");
    let web = format!(
        "hosts = \"apps\"\n[container]\nimage = \"web:{{{{version}}}}\"\npublish = [\"auto:80\"]\n\
         [rollout]\norder = \"{order}\"\n[drain]\nbalancers = [\"lb\"]\n{drain}\n"
    );
    let mut world = World::new(hosts, &[("lb", &*lb), ("web", &*web)]);
    assert_eq!(world.planned().warnings.len(), 0, "nothing is replaced");
    world.deploy();
    world.set("version", "2");
    world.limit(limit, &[]);
    let warnings = world.planned().warnings.into_iter();
    warnings.map(|it| it.message).collect()
}

#[test]
fn what_keeps_a_switch_from_being_whole_is_said() {
    let said = |balancer, drain| warnings(HOSTS, balancer, drain, "blue-green", &[]);
    assert_eq!(said(LIST, ""), [""; 0]);
    let by_container =
        "`web` is switched container by container: both versions answer for a moment";
    assert_eq!(said(COMMANDS, ""), [by_container]);
    assert_eq!(said(CONSUL, ""), [by_container]);
    let leaves = "`web` leaves by `[drain] run`: both versions answer from when the first new container is well until all are";
    assert_eq!(said(CONSUL, "run = \"leave\""), [leaves]);
}

#[test]
fn bit_by_bit_both_versions_are_expected() {
    assert_eq!(warnings(HOSTS, COMMANDS, "", "start-first", &[]), [""; 0]);
}

#[test]
fn two_balancers_differ_for_a_moment() {
    let lb_2 = "lb-2 = { address = \"192.0.2.4\", groups = [\"lbs\"] }\n";
    let hosts = HOSTS.to_owned() + lb_2;
    let said = "`web` is behind 2 balancers, switched side by side: for a moment they differ";
    assert_eq!(warnings(&hosts, LIST, "", "blue-green", &[]), [said]);
}

#[test]
fn hosts_that_are_left_alone_keep_the_old_version() {
    let limit = ["app-1", "lb-1"];
    let said = "`web` on `app-2` is left alone: both versions answer";
    assert_eq!(warnings(HOSTS, LIST, "", "blue-green", &limit), [said]);
}
