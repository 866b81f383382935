//! `--limit`, recipes by name, and commands.

use insta::assert_snapshot;

use super::world::{CONSUL, World};

const CHAIN: &str = r#"
recipes = ["consul", "registrator", "web"]
[hosts]
host-1 = { address = "192.0.2.1" }
host-2 = { address = "192.0.2.2" }
"#;

fn chain() -> World {
    let requiring = |image: &str, required: &str| {
        format!(
            "hosts = \"all\"\nrequires = [\"{required}\"]\ncontainer.image = \"{image}:{{{{version}}}}\"\n"
        )
    };
    World::new(
        CHAIN,
        &[
            ("consul", CONSUL),
            ("registrator", &requiring("registrator", "consul")),
            ("web", &requiring("web", "registrator")),
        ],
    )
}

#[test]
fn recipes_come_after_what_they_require() {
    assert_snapshot!(chain().plan(), @"
        host-1 consul create consul: nothing runs here yet
        host-2 consul create consul: nothing runs here yet
        host-1 registrator create registrator-r1: nothing runs here yet
        host-2 registrator create registrator-r1: nothing runs here yet
        host-1 web create web-r1: nothing runs here yet
        host-2 web create web-r1: nothing runs here yet
    ");
}

#[test]
fn a_limit_leaves_the_other_hosts_alone() {
    let mut world = chain();
    world.limit(&["host-2"], &[]);
    assert_snapshot!(world.deploy(), @"
        host-2 consul create consul: nothing runs here yet
        host-2 registrator create registrator-r1: nothing runs here yet
        host-2 web create web-r1: nothing runs here yet
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"");
}

#[test]
fn what_a_named_recipe_requires_must_run() {
    let mut world = chain();
    world.limit(&[], &["web"]);
    assert_snapshot!(world.plan(), @"
        host-1 web create web-r1: nothing runs here yet
        host-2 web create web-r1: nothing runs here yet
        obstacle: `consul` does not run on `host-1` and `host-2`, and `web` needs it [shipit deploy staging]
        obstacle: `registrator` does not run on `host-1` and `host-2`, and `web` needs it [shipit deploy staging]
    ");

    world.limit(&[], &["consul", "registrator"]);
    world.deploy();
    world.docker.container("host-1", "consul").status = "exited";
    world.limit(&[], &["web"]);
    assert_snapshot!(world.plan(), @"
        host-1 web create web-r2: nothing runs here yet
        host-2 web create web-r2: nothing runs here yet
        obstacle: `consul` does not run on `host-1`, and `web` needs it [shipit deploy staging]
    ");
}

#[test]
fn a_host_whose_two_instances_are_down_is_named_once() {
    let mut world = chain();
    let two =
        "hosts = \"all\"\nrequires = [\"consul\"]\n[container]\nimage = \"r\"\ninstances = 2\n";
    world.edit(CHAIN, &[("registrator", two)]);
    world.limit(&[], &["consul"]);
    world.deploy();
    world.limit(&["host-1"], &["web"]);
    assert_snapshot!(world.plan(), @"
        host-1 web create web-r2: nothing runs here yet
        obstacle: `registrator` does not run on `host-1` and `host-2`, and `web` needs it [shipit deploy staging]
    ");
}

#[test]
fn what_else_has_changed_is_left_alone() {
    let mut world = chain();
    world.deploy();
    world.set("version", "2");
    world.limit(&[], &["web"]);
    assert_snapshot!(world.deploy(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
        host-2 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
}

const TASKS: &str = r#"
hosts = "all"
[[commands]]
name = "migrate"
run = "migrate"
once = true
[[commands]]
name = "clean"
run = "clean"
unless = "test -e clean"
"#;

#[test]
fn commands_run_on_each_host_and_once_only_on_the_first() {
    let mut world = World::of_web(TASKS);
    assert_snapshot!(world.plan(), @"
        host-1 web run #0
        host-1 web run #1
        host-2 web run #1
    ");
    world.limit(&["host-2"], &[]);
    assert_snapshot!(world.plan(), @"
        host-2 web run #0
        host-2 web run #1
    ");
}

#[test]
fn commands_that_are_done_are_left_out() {
    let mut world = World::of_web(TASKS);
    for plan in &world.planned().recipes {
        world
            .done
            .extend(plan.tasks.iter().filter(|task| task.index == 1).cloned());
    }
    assert_snapshot!(world.plan(), @"host-1 web run #0");
}

#[test]
fn the_hosts_that_change_are_those_with_a_step_or_a_command() {
    let inventory = CHAIN.replace("\"consul\", \"registrator\", \"web\"", "\"task\", \"web\"");
    let task = "hosts = \"host-2\"\n[[commands]]\nrun = \"true\"\n";
    let web = "hosts = \"host-1\"\ncontainer.image = \"web:{{version}}\"\n";
    let mut world = World::new(&inventory, &[("task", task), ("web", web)]);
    let changed = |world: &World| {
        let hosts = world.planned().changed_hosts(&world.environment);
        hosts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(changed(&world), ["host-1", "host-2"]);
    world.limit(&[], &["task"]);
    assert_eq!(changed(&world), ["host-2"]);
    world.limit(&[], &["web"]);
    assert_eq!(changed(&world), ["host-1"]);
    world.deploy();
    assert!(changed(&world).is_empty());
}
