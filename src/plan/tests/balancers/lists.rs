//! The files with backends that are written for balancers.

use insta::assert_snapshot;

use super::super::world::World;
use crate::plan::Plan;

const INVENTORY: &str = r#"
recipes = ["lb", "web", "api", "other"]
[hosts]
app-1 = { address = "192.0.2.1", groups = ["apps"] }
app-2 = { address = "192.0.2.2", groups = ["apps"] }
lb-1 = { address = "192.0.2.3", groups = ["lbs"] }
"#;

const LB: &str = r#"
hosts = "lbs"
[container]
image = "lb:1"
publish = ["80:80"]
[balancer]
upstreams = "routes"
backends = { template = "list", to = "/etc/list", reload = "lb reload" }
"#;

/// The same as a program of the host.
const LB_ON_HOST: &str = r#"
hosts = "lbs"
[balancer]
upstreams = "routes"
backends = { template = "list", to = "/etc/list", reload = "lb reload" }
"#;

const WEB: &str = r#"
hosts = "apps"
[container]
image = "web:{{version}}"
publish = ["auto:80"]
[drain]
balancers = ["lb"]
"#;

/// Its port is in the files.
const API: &str = r#"
hosts = "app-1"
[container]
image = "api:1"
publish = ["9000:80", "9001:81/udp"]
[ready]
tcp = 80
[drain]
balancers = ["lb"]
"#;

const OTHER: &str = "hosts = \"apps\"\n[container]\nimage = \"other:1\"\n";

fn recipes(lb: &'static str) -> [(&'static str, &'static str); 4] {
    [("lb", lb), ("web", WEB), ("api", API), ("other", OTHER)]
}

/// Everything runs, and every list is as it is to be.
fn deployed(lb: &'static str) -> World {
    let mut world = World::new(INVENTORY, &recipes(lb));
    world.deploy();
    world.write_lists();
    world
}

/// Each list that is written: where, whether it is not as what runs wants it, what it has and what it gets.
fn lists(plan: &Plan) -> String {
    let shown = plan.lists.iter().map(|list| {
        let container = list.container.as_deref().unwrap_or("the host");
        let drifted = if list.is_drifted { ", drifted" } else { "" };
        let old = list.old.as_deref().unwrap_or("none\n");
        format!(
            "{} {} in {container}: {}{drifted}\n--\n{old}++\n{}",
            list.host, list.recipe, list.to, list.new
        )
    });
    let shown: String = shown.collect();
    if shown.is_empty() {
        "no list is written".to_owned()
    } else {
        shown
    }
}

#[test]
fn a_first_deploy_gives_the_balancer_that_it_makes_its_list() {
    let world = World::new(INVENTORY, &recipes(LB));
    assert_snapshot!(lists(&world.planned()), @r"
    lb-1 lb in lb: /etc/list
    --
    none
    ++
    web-r1 192.0.2.1:(new port)
    web-r1 192.0.2.2:(new port)
    api 192.0.2.1:9000
    ");
}

#[test]
fn what_is_as_it_is_to_be_is_not_written() {
    let world = deployed(LB);
    assert_eq!(lists(&world.planned()), "no list is written");
    assert!(world.planned().is_empty());
}

#[test]
fn a_list_that_somebody_has_changed_is_written_though_nothing_else_changes() {
    for lb in [LB, LB_ON_HOST] {
        let mut world = deployed(lb);
        for text in world.lists.values_mut() {
            text.push_str("by hand\n");
        }
        let plan = world.planned();
        assert!(plan.lists.iter().all(|list| list.is_drifted));
        assert!(lists(&plan).contains("by hand\n++\n"), "{}", lists(&plan));
        assert!(!plan.is_empty());
        assert!(!plan.lists[0].new.contains("by hand"));
    }
}

#[test]
fn a_new_version_takes_the_place_of_the_old_one_and_others_stay() {
    let mut world = deployed(LB);
    world.set("version", "2");
    assert_snapshot!(lists(&world.planned()));
}

#[test]
fn a_balancer_on_the_host_has_one_list_and_no_container() {
    let mut world = deployed(LB_ON_HOST);
    world.set("version", "2");
    assert_snapshot!(lists(&world.planned()));
}

#[test]
fn a_balancer_that_is_replaced_gets_a_list_of_its_own() {
    let mut world = deployed(LB);
    let lb = LB.replace("lb:1", "lb:2");
    world.edit(
        INVENTORY,
        &[("lb", &*lb), ("web", WEB), ("api", API), ("other", OTHER)],
    );
    assert_snapshot!(lists(&world.planned()));
}

#[test]
fn a_balancer_that_is_stopped_has_no_list_until_it_starts() {
    let mut world = deployed(LB);
    world.docker.container("lb-1", "lb").status = "exited";
    world.lists.clear();
    assert_snapshot!(lists(&world.planned()));
}

#[test]
fn only_what_a_deploy_touches_is_written() {
    let mut world = deployed(LB);
    world.lists.clear();
    let touched = |world: &mut World, hosts: &[&str], recipes: &[&str]| {
        world.limit(hosts, recipes);
        !world.planned().lists.is_empty()
    };
    assert!(touched(&mut world, &[], &[]));
    // Its own recipe, on its host.
    assert!(touched(&mut world, &["lb-1"], &["lb"]));
    assert!(!touched(&mut world, &["app-1"], &["lb"]));
    // A recipe that drains through it, wherever.
    assert!(touched(&mut world, &["app-1"], &["web"]));
    assert!(!touched(&mut world, &[], &["other"]));
}

#[test]
fn a_container_that_is_yet_to_be_found_ready_is_in_no_list_before() {
    let mut world = deployed(LB);
    world.set("version", "2");
    // The first host has both, as it was cut off before the balancer was told.
    world.cut_off(1, crate::release::Outcome::Unfinished);
    let plan = world.planned();
    let active: Vec<_> = plan.active.iter().map(|one| &*one.container).collect();
    assert!(active.contains(&"web-r1"), "{active:?}");
    assert!(!active.contains(&"web-r2"), "{active:?}");
}

#[test]
fn what_no_look_proves_is_said_where_something_goes() {
    let blind = LB.replace("upstreams = \"routes\"\n", "");
    let web = WEB.replace(
        "balancers = [\"lb\"]",
        "balancers = [\"lb\"]\nwait = \"7s\"",
    );
    let api = API.replace(
        "balancers = [\"lb\"]",
        "balancers = [\"lb\"]\nwait = \"7s\"",
    );
    let recipes = [
        ("lb", &*blind),
        ("web", &*web),
        ("api", &*api),
        ("other", OTHER),
    ];
    let mut world = World::new(INVENTORY, &recipes);
    let warnings = |world: &World| {
        let plan = world.planned();
        let all: Vec<_> = plan.warnings.iter().map(|it| it.message.clone()).collect();
        all.join("\n")
    };
    assert_eq!(warnings(&world), "", "nothing goes");
    world.deploy();
    world.set("version", "2");
    assert_snapshot!(warnings(&world), @"`lb` cannot print what it routes to: that no request comes to a container of `web` that goes rests on `[drain] wait` (7s)");

    let leaves = "hosts = \"apps\"\n[container]\nimage = \"web:{{version}}\"\n[drain]\nrun = \"leave\"\nwait = \"9s\"\n";
    let mut world = World::new(
        "recipes = [\"web\"]\n[hosts]\napp-1 = { address = \"192.0.2.1\", groups = [\"apps\"] }\n",
        &[("web", leaves)],
    );
    world.deploy();
    world.set("version", "2");
    assert_snapshot!(warnings(&world), @"no balancer is named: that no request comes to a container of `web` that goes rests on `[drain] wait` (9s)");
}
