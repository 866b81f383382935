//! Rollbacks: they go to kept containers where there are any.

use insta::assert_snapshot;

use super::world::{CONSUL, ONE_HOST, WEB, World};
use crate::{model::Order, plan::RecipePlan, release::Number};

fn two_versions_of(recipe: &str) -> World {
    let mut world = World::new(&ONE_HOST.replace("web", "consul"), &[("consul", recipe)]);
    world.deploy();
    world.set("version", "2");
    world.deploy();
    world
}

#[test]
fn the_kept_container_is_started_and_the_running_one_kept() {
    let mut world = two_versions_of(WEB);
    assert_snapshot!(world.roll_back(1), @"
        host-1 consul replace consul-r2 → consul-r1: `consul-r1` exists but is exited
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul-r1 running
        consul-r2 exited
    ");
}

#[test]
fn the_kept_container_stays_that_of_the_release_that_made_it() {
    let world = two_versions_of(WEB);
    let plan = world.plan_rollback(1);
    let slots = plan.recipes.iter().flat_map(RecipePlan::changes);
    let incoming = slots.filter_map(|slot| slot.incoming.as_ref());
    let made_by: Vec<_> = incoming.map(|incoming| incoming.made_by).collect();
    assert_eq!((made_by, plan.release), (vec![Number(1)], Number(3)));
}

#[test]
fn twice_in_a_row_goes_back_and_forth() {
    let mut world = two_versions_of(WEB);
    world.roll_back(1);
    assert_snapshot!(world.roll_back(2), @"
        host-1 consul replace consul-r1 → consul-r2: `consul-r2` exists but is exited
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul-r1 exited
        consul-r2 running
    ");
}

#[test]
fn a_stop_first_container_gets_its_plain_name_back() {
    let mut world = two_versions_of(CONSUL);
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul running
        consul-r1 exited
    ");
    assert_snapshot!(world.roll_back(1), @"
        host-1 consul replace consul (then consul-r2) → consul (or consul-r1): `consul-r1` exists but is exited
            image: consul:2 (sha256:222222222222) → consul:1 (sha256:111111111111)
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul running
        consul-r2 exited
    ");
    assert_snapshot!(world.roll_back(2), @"
        host-1 consul replace consul (then consul-r1) → consul (or consul-r2): `consul-r2` exists but is exited
            image: consul:1 (sha256:111111111111) → consul:2 (sha256:222222222222)
    ");
    assert_snapshot!(world.docker.listed("host-1"), @"
        consul running
        consul-r1 exited
    ");
}

#[test]
fn where_the_kept_one_is_gone_it_is_made_again() {
    let mut world = two_versions_of(WEB);
    world
        .docker
        .containers("host-1")
        .retain(|container| container.name != "consul-r1");
    assert_snapshot!(world.roll_back(1), @"
        host-1 consul replace consul-r2 → consul-r3: in place of `consul-r2`
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
}

#[test]
fn a_deploy_of_the_older_version_makes_a_container_of_its_own() {
    let mut world = two_versions_of(WEB);
    world.set("version", "1");
    assert_snapshot!(world.plan(), @"
        host-1 consul replace consul-r2 → consul-r3: in place of `consul-r2`
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
}

#[test]
fn a_secret_that_has_changed_meanwhile_cannot_come_from_the_kept_container() {
    let recipe = format!("{WEB}secrets = {{ TOKEN = {{ env = \"TOKEN\" }} }}\n");
    let mut world = World::new(ONE_HOST, &[("web", &recipe)]);
    world.secrets.insert("TOKEN".into(), "one".into());
    world.deploy();
    world.set("version", "2");
    world.deploy();
    assert_snapshot!(super::shown::shown(&world.plan_rollback(1)), @"
        host-1 web replace web-r2 → web-r1: `web-r1` exists but is exited
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
    world.secrets.insert("TOKEN".into(), "two".into());
    assert_snapshot!(super::shown::shown(&world.plan_rollback(1)), @"
        host-1 web replace web-r2 → web-r3: in place of `web-r2`
            image: web:2 (sha256:222222222222) → web:1 (sha256:111111111111)
    ");
}

#[test]
fn a_release_with_a_fixed_port_needs_the_running_one_gone_whatever_the_files_say() {
    let fixed =
        "hosts = \"all\"\n[container]\nimage = \"web:{{version}}\"\npublish = [\"80:80\"]\n";
    let mut world = World::new(ONE_HOST, &[("web", fixed)]);
    world.deploy();
    world.edit(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    let orders = |plan: &crate::plan::Plan| plan.recipes[0].order;
    assert_eq!(orders(&world.planned()), Order::StartFirst);
    assert_eq!(orders(&world.plan_rollback(1)), Order::StopFirst);
}

#[test]
fn what_the_files_require_now_need_not_run_for_a_release_from_before() {
    let inventory = ONE_HOST.replace("\"web\"", "\"redis\", \"web\"");
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    let requiring = WEB.replacen('\n', "\nrequires = [\"redis\"]\n", 1);
    let redis = "hosts = \"all\"\ncontainer.image = \"redis\"\n";
    world.edit(&inventory, &[("web", &requiring), ("redis", redis)]);
    world.set("version", "2");
    world.deploy();
    // As on a host that was made anew.
    world.docker.containers("host-1").clear();
    world.limit(&[], &["web"]);
    assert_snapshot!(super::shown::shown(&world.plan_rollback(1)), @"
        host-1 web create web-r3: nothing runs here yet
        warning: `redis` does not run on `host-1`, and this deploy leaves it alone [shipit deploy staging redis]
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web create web-r3: nothing runs here yet
        obstacle: `redis` does not run on `host-1`, and `web` needs it [shipit deploy staging]
    ");
}
