//! Deploys of an environment, one after the other.

use insta::assert_snapshot;

use crate::release::Outcome;

use super::world::{CONSUL, ONE_HOST, TWO_HOSTS, WEB, World};

#[test]
fn the_first_deploy_makes_everything_and_the_second_finds_nothing_to_do() {
    let mut world = World::of_web(WEB);
    assert_snapshot!(world.deploy(), @"
        host-1 web create web-r1: nothing runs here yet
        host-2 web create web-r1: nothing runs here yet
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        host-2 web keep web-r1
        nothing to do
    ");
}

#[test]
fn another_version_replaces_each_container() {
    let mut world = World::of_web(WEB);
    world.deploy();
    world.set("version", "2");
    assert_snapshot!(world.deploy(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
        host-2 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        web-r1 exited
        web-r2 running
    ");
}

#[test]
fn a_tag_that_has_moved_is_another_image() {
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    world.digests.insert("web:1".into(), "9".into());
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:1 (sha256:999999999999)
    ");
}

#[test]
fn a_changed_setting_is_shown_field_by_field() {
    let mut world = World::new(
        ONE_HOST,
        &[("web", &format!("{WEB}env = {{ A = \"1\", B = \"2\" }}\n"))],
    );
    world.deploy();
    let changed = "env = { A = \"1\", B = \"3\", C = \"4\" }\nstop_timeout = \"90s\"\n";
    world.edit(ONE_HOST, &[("web", &format!("{WEB}{changed}"))]);
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            env.B: 2 → 3
            env.C: - → 4
            stop_timeout: 30s → 1m30s
    ");
}

#[test]
fn without_its_record_only_another_image_can_be_told() {
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    world.records.clear();
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web@sha256:111111111111 → web:2
    ");

    world.set("version", "1");
    world.edit(
        ONE_HOST,
        &[("web", &format!("{WEB}env = {{ A = \"1\" }}\n"))],
    );
    assert_snapshot!(world.plan(), @"host-1 web replace web-r1 → web-r2: in place of `web-r1`");
}

#[test]
fn a_changed_secret_is_noticed_and_not_shown() {
    let recipe = format!("{WEB}secrets = {{ TOKEN = {{ env = \"TOKEN\" }} }}\n");
    let mut world = World::new(ONE_HOST, &[("web", &recipe)]);
    world.secrets.insert("TOKEN".into(), "swordfish".into());
    world.deploy();
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");

    world.secrets.insert("TOKEN".into(), "barracuda".into());
    let plan = world.planned();
    assert_snapshot!(super::shown::shown(&plan), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            secrets: TOKEN → TOKEN (value changed)
    ");
    let everything = format!("{plan:?}");
    assert!(!everything.contains("swordfish") && !everything.contains("barracuda"));
}

#[test]
fn what_is_forced_is_replaced_although_nothing_has_changed() {
    let recipe = format!("{WEB}secrets = {{ TOKEN = {{ env = \"TOKEN\" }} }}\n");
    let mut world = World::new(ONE_HOST, &[("web", &recipe)]);
    world.secrets.insert("TOKEN".into(), "swordfish".into());
    world.deploy();
    world.forced = true;
    assert_snapshot!(world.deploy(), @"host-1 web replace web-r1 → web-r2: forced, in place of `web-r1`");
    world.forced = false;
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r2
        nothing to do
    ");
    // What changed is shown as ever, and what does not run is started.
    world.forced = true;
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r2 → web-r3: forced, in place of `web-r2`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
    world.set("version", "1");
    world.docker.container("host-1", "web-r2").status = "exited";
    assert_snapshot!(world.plan(), @"host-1 web start web-r2: `web-r2` exists but is exited");
}

#[test]
fn what_was_stopped_is_started_by_the_next_deploy() {
    let recipes = [("consul", CONSUL), ("web", WEB)];
    let inventory = ONE_HOST.replace("\"web\"", "\"consul\", \"web\"");
    let mut world = World::new(&inventory, &recipes);
    world.deploy();
    // What others need stops after them.
    assert_snapshot!(world.stop(), @"
        host-1 web stop web-r1: it stays stopped until a start or a deploy
        host-1 consul stop consul (then consul-r1): it stays stopped until a start or a deploy
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul-r1 exited
        web-r1 exited
    ");
    assert_snapshot!(world.stop(), @"nothing to do");
    assert_snapshot!(world.plan(), @"
        host-1 consul start consul (or consul-r1): stopped by alice@laptop at 1970-01-01 00:00 UTC
        host-1 web start web-r1: stopped by alice@laptop at 1970-01-01 00:00 UTC
    ");
    // What was stopped on purpose is no reason for a warning.
    world.limit(&[], &["web"]);
    assert_snapshot!(world.deploy(), @"host-1 web start web-r1: stopped by alice@laptop at 1970-01-01 00:00 UTC");
    world.limit(&[], &["consul"]);
    world.docker.container("host-1", "web-r1").status = "exited";
    assert_snapshot!(world.plan(), @"
        host-1 consul start consul (or consul-r1): stopped by alice@laptop at 1970-01-01 00:00 UTC
        warning: `web` does not run on `host-1`, and this deploy leaves it alone [shipit deploy staging web]
    ");
}

#[test]
fn what_needs_a_recipe_that_was_stopped_is_not_deployed() {
    let needy = format!("requires = [\"consul\"]{WEB}");
    let recipes = [("consul", CONSUL), ("web", &*needy)];
    let inventory = ONE_HOST.replace("\"web\"", "\"consul\", \"web\"");
    let mut world = World::new(&inventory, &recipes);
    world.deploy();
    world.limit(&[], &["consul"]);
    world.stop();
    world.limit(&[], &["web"]);
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r3: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
        obstacle: `consul` was stopped on `host-1`, and `web` needs it [shipit start staging consul]
    ");
}

#[test]
fn how_many_run_is_a_value_of_the_host_and_of_set() {
    let inventory = TWO_HOSTS.replace("\"192.0.2.2\" }", "\"192.0.2.2\", vars = { web = 2 } }");
    let recipe = format!("vars = {{ web = 1 }}{WEB}instances = \"{{{{web}}}}\"\n");
    let mut world = World::new(&inventory, &[("web", &recipe)]);
    assert_snapshot!(world.deploy(), @"
        host-1 web create web-r1: nothing runs here yet
        host-2 web create web-r1: nothing runs here yet
        host-2 web[2] create web-r1-2: nothing runs here yet
    ");
    world.set("web", "2");
    assert_snapshot!(world.deploy(), @"
        host-1 web keep web-r1
        host-1 web[2] create web-r2-2: nothing runs here yet
        host-2 web keep web-r1
        host-2 web[2] keep web-r1-2
    ");
    world.set("web", "1");
    assert_snapshot!(world.deploy(), @"
        host-1 web keep web-r1
        host-2 web keep web-r1
        host-1 web[2] remove web-r2-2: `web-r2-2` is no longer wanted here
        host-2 web[2] remove web-r1-2: `web-r1-2` is no longer wanted here
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        host-2 web keep web-r1
        nothing to do
    ");
}

/// A database that only its name changes.
const DATABASE: &str = r#"
hosts = "all"
[container]
image = "db:{{version}}"
accessory = true
"#;

#[test]
fn an_accessory_is_changed_only_by_its_name() {
    let inventory = ONE_HOST.replace("\"web\"", "\"db\", \"web\"");
    let mut world = World::new(&inventory, &[("db", DATABASE), ("web", WEB)]);
    assert_snapshot!(world.deploy(), @"
        host-1 db create db-r1: nothing runs here yet
        host-1 web create web-r1: nothing runs here yet
    ");
    world.set("version", "2");
    assert_snapshot!(world.deploy(), @"
        host-1 db keep : `db-r1` stays as it is
            image: db:1 (sha256:111111111111) → db:2 (sha256:222222222222)
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
    ");
    let has = |world: &World| {
        let record = world.records[&crate::model::HostName::from("host-1")].last();
        record.expect("a release").recipes["db"]
            .image
            .reference
            .clone()
    };
    assert_snapshot!(world.plan(), @"
        host-1 db keep : `db-r1` stays as it is
            image: db:1 (sha256:111111111111) → db:2 (sha256:222222222222)
        host-1 web keep web-r2
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
        nothing to do
    ");
    // Neither is it taken back.
    assert_snapshot!(super::shown::shown(&world.plan_rollback(1)), @"
        host-1 db keep db-r1
        host-1 web replace web-r2 → web-r1: `web-r1` exists but is exited
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
    // What has stopped by itself is started as it was, and not as it would be.
    world.docker.container("host-1", "db-r1").status = "exited";
    assert_snapshot!(world.plan(), @"
        host-1 db start db-r1: `db-r1` exists but is exited
        host-1 web keep web-r2
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
    ");
    world.set("version", "1");
    assert_snapshot!(world.plan(), @"
        host-1 db start db-r1: `db-r1` exists but is exited
        host-1 web replace web-r2 → web-r3: in place of `web-r2`
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
    world.set("version", "2");
    world.limit(&[], &["db"]);
    assert_snapshot!(world.deploy(), @"host-1 db create db-r3: nothing runs here now");
    assert!(has(&world).starts_with("db@sha256:222"));
    world.limit(&[], &[]);
    assert_snapshot!(world.plan(), @"
        host-1 db keep db-r3
        host-1 web keep web-r2
        nothing to do
    ");
    // A kept one of another version is a change, too, whether this one runs or not.
    let rollback = |world: &World| super::shown::shown(&world.plan_rollback(1));
    assert_snapshot!(rollback(&world), @"
        host-1 db keep : `db-r3` stays as it is
            image: db:2 (sha256:222222222222) → db:1 (sha256:111111111111)
        host-1 web replace web-r2 → web-r1: `web-r1` exists but is exited
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
    ");
    world.docker.container("host-1", "db-r3").status = "exited";
    assert_snapshot!(rollback(&world), @"
        host-1 db start db-r3: `db-r3` exists but is exited
        host-1 web replace web-r2 → web-r1: `web-r1` exists but is exited
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
    ");
}

#[test]
fn an_accessory_that_never_came_to_serve_is_none_yet() {
    let inventory = ONE_HOST.replace("web", "db");
    let mut world = World::new(&inventory, &[("db", DATABASE)]);
    world.cut_off(1, Outcome::Failed);
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 db replace db-r1 → db-r2: in place of `db-r1`
            image: db:1 (sha256:111111111111) → db:2 (sha256:222222222222)
    ");
    // Of one that no record knows, nobody can say so.
    world.records.clear();
    assert_snapshot!(world.plan(), @"
        host-1 db keep : `db-r1` stays as it is
            image: db@sha256:111111111111 → db:2
        warning: `db` has changed on `host-1` and is left alone: an accessory is changed only by its name [shipit deploy staging db]
        nothing to do
    ");
}

#[test]
fn instances_that_are_no_longer_wanted_go() {
    let three = format!("{WEB}instances = 3\n");
    let mut world = World::new(ONE_HOST, &[("web", &three)]);
    assert_snapshot!(world.deploy(), @"
        host-1 web create web-r1: nothing runs here yet
        host-1 web[2] create web-r1-2: nothing runs here yet
        host-1 web[3] create web-r1-3: nothing runs here yet
    ");
    world.edit(ONE_HOST, &[("web", WEB)]);
    assert_snapshot!(world.deploy(), @"
        host-1 web keep web-r1
        host-1 web[2] remove web-r1-2: `web-r1-2` is no longer wanted here
        host-1 web[3] remove web-r1-3: `web-r1-3` is no longer wanted here
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");
}

#[test]
fn a_host_that_the_recipe_no_longer_names_is_cleared() {
    let mut world = World::of_web(WEB);
    world.deploy();
    world.edit(TWO_HOSTS, &[("web", &WEB.replace("\"all\"", "\"apps\""))]);
    assert_snapshot!(world.deploy(), @"
        host-1 web keep web-r1
        host-2 web remove web-r1: `web-r1` is no longer wanted here
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");
}

#[test]
fn a_recipe_that_is_gone_leaves_its_containers_and_a_warning() {
    let mut world = World::new(
        &ONE_HOST.replace("[\"web\"]", "[\"consul\", \"web\"]"),
        &[("web", WEB), ("consul", CONSUL)],
    );
    world.deploy();
    world.edit(ONE_HOST, &[]);
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        warning on host-1: `consul` runs, but the environment has no recipe `consul` any more [docker rm --force consul]
        nothing to do
    ");
}

#[test]
fn a_recipe_that_became_a_list_of_commands_loses_its_container() {
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    world.edit(
        ONE_HOST,
        &[(
            "web",
            "hosts = \"all\"\n[[commands]]\nname = \"say\"\nrun = \"true\"\n",
        )],
    );
    assert_snapshot!(world.plan(), @"
        host-1 web remove web-r1: `web-r1` is no longer wanted here
        host-1 web run #0
    ");
}

#[test]
fn the_only_balancer_cannot_be_replaced_without_a_gap() {
    let balancer = r#"
hosts = "apps"
[container]
image = "lb:{{version}}"
publish = ["80:80"]
[balancer]
upstreams = "cat routes"
"#;
    let mut world = World::of_web(balancer);
    assert_snapshot!(world.deploy(), @"host-1 web create web: nothing runs here yet");
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web (then web-r1) → web: in place of `web`
            image: lb:1 (sha256:111111111111) → lb:2 (sha256:222222222222)
        warning on host-1: `web` is the only balancer and has a fixed port: requests are refused while it is replaced [add a second host to its group, so that balancers are replaced one at a time]
    ");

    world.edit(TWO_HOSTS, &[("web", &balancer.replace("apps", "all"))]);
    assert_snapshot!(world.plan(), @"
        host-2 web create web: nothing runs here yet
        host-1 web replace web (then web-r1) → web: in place of `web`
            image: lb:1 (sha256:111111111111) → lb:2 (sha256:222222222222)
    ");
}

#[test]
fn balancers_that_are_replaced_all_at_once_are_warned_about() {
    let balancer = |rollout: &str| {
        format!(
            "hosts = \"all\"\n[container]\nimage = \"lb:{{{{version}}}}\"\npublish = [\"80:80\"]\n[balancer]\nupstreams = \"true\"\n{rollout}"
        )
    };
    let warnings = |inventory: &str, rollout: &str| {
        let mut world = World::new(inventory, &[("web", &balancer(rollout))]);
        world.deploy();
        world.set("version", "2");
        let plan = world.planned();
        let messages = plan.warnings.into_iter().map(|warning| warning.message);
        messages.collect::<Vec<_>>()
    };
    assert_eq!(
        warnings(ONE_HOST, ""),
        [
            "`web` is the only balancer and has a fixed port: requests are refused while it is replaced"
        ]
    );
    assert_eq!(warnings(TWO_HOSTS, ""), [""; 0]);
    assert_eq!(
        warnings(TWO_HOSTS, "[rollout]\nmax_parallel = \"100%\"\n"),
        [
            "all balancers of `web` have a fixed port and are replaced at once: requests are refused meanwhile"
        ]
    );
}
