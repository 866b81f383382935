//! What a crash, a person or a deploy that was cut off leaves, and how the next deploy goes on from there.

use insta::assert_snapshot;

use super::world::{CONSUL, ONE_HOST, WEB, World};
use crate::release::Outcome;

fn web_on_one_host() -> World {
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    world
}

/// A start-first deploy of version 2 that was cut off when both ran.
fn cut_off_between_start_and_stop() -> World {
    let mut world = web_on_one_host();
    world.set("version", "2");
    let plan = world.planned();
    world
        .docker
        .apply(&plan, "staging", 1)
        .expect("docker does it");
    world.docker.container("host-1", "web-r1").in_maintenance = true;
    world
}

#[test]
fn a_stopped_container_of_the_wanted_spec_is_started() {
    let mut world = web_on_one_host();
    world.docker.container("host-1", "web-r1").status = "exited";
    assert_snapshot!(world.deploy(), @"host-1 web start web-r1: `web-r1` exists but is exited");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");
}

#[test]
fn a_stopped_container_of_another_spec_is_not() {
    let mut world = web_on_one_host();
    world.docker.container("host-1", "web-r1").status = "exited";
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"host-1 web create web-r2: nothing runs here now");
}

#[test]
fn one_that_restarts_over_and_over_is_not_left_as_it_is() {
    let mut world = web_on_one_host();
    world.docker.container("host-1", "web-r1").status = "restarting";
    assert_snapshot!(world.plan(), @"host-1 web start web-r1: `web-r1` exists but is restarting");
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
}

#[test]
fn of_two_that_run_the_wanted_one_stays_be_it_the_new_one() {
    let mut world = cut_off_between_start_and_stop();
    assert_snapshot!(world.docker.listed("host-1"), @"
        web-r1 running
        web-r2 running
    ");
    assert_snapshot!(world.deploy(), @"host-1 web replace web-r1 → web-r2: an interrupted deploy left `web-r1` running beside `web-r2`");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r2
        nothing to do
    ");
}

#[test]
fn of_two_that_run_the_wanted_one_stays_be_it_the_old_one() {
    let mut world = cut_off_between_start_and_stop();
    world.set("version", "1");
    assert_snapshot!(world.deploy(), @"host-1 web replace web-r2 → web-r1: an interrupted deploy left `web-r2` running beside `web-r1`");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");
}

#[test]
fn of_two_that_run_and_are_both_unwanted_both_go() {
    let mut world = cut_off_between_start_and_stop();
    world.set("version", "3");
    assert_snapshot!(world.deploy(), @"
        host-1 web replace web-r2, web-r1 → web-r3: in place of `web-r2` and `web-r1`
            image: web@sha256:222222222222 → web:3
    ");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r3
        nothing to do
    ");
}

#[test]
fn one_that_was_left_in_maintenance_is_taken_out_of_it() {
    let mut world = web_on_one_host();
    world.docker.container("host-1", "web-r1").in_maintenance = true;
    assert_snapshot!(world.deploy(), @"host-1 web start web-r1: an interrupted deploy left `web-r1` in maintenance mode");
    assert_snapshot!(world.plan(), @"
        host-1 web keep web-r1
        nothing to do
    ");
}

#[test]
fn a_stop_first_deploy_that_was_cut_off_goes_on_with_the_name_free() {
    let mut world = World::new(ONE_HOST, &[("web", CONSUL)]);
    world.deploy();
    world.set("version", "2");
    let plan = world.planned();
    world
        .docker
        .apply(&plan, "staging", 1)
        .expect("docker does it");
    assert_snapshot!(world.docker.listed("host-1"), @"web-r1 exited");
    assert_snapshot!(world.deploy(), @"host-1 web create web: nothing runs here now");

    world.docker.container("host-1", "web").status = "exited";
    world.set("version", "3");
    assert_snapshot!(world.deploy(), @"host-1 web create web: nothing runs here now");
    assert_snapshot!(world.docker.listed("host-1"), @"
        web running
        web-r1 exited
        web-r2 exited
    ");
}

#[test]
fn what_a_release_that_was_cut_off_has_started_is_confirmed_before_it_counts_as_done() {
    for outcome in [Outcome::Unfinished, Outcome::Interrupted, Outcome::Failed] {
        let mut world = World::new(ONE_HOST, &[("web", WEB)]);
        world.cut_off(1, outcome);
        let confirms = "host-1 web confirm web-r1: r1 ended before it saw that `web-r1` serves";
        assert_eq!(world.deploy().trim(), confirms, "{outcome}");
        assert!(world.planned().is_empty(), "{outcome}");
    }
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.cut_off(1, Outcome::Reverted);
    assert!(world.planned().is_empty(), "every host was seen reverted");
}

#[test]
fn a_cut_off_release_of_other_recipes_since_does_not_hide_it() {
    let mut world = World::new(ONE_HOST, &[("web", WEB)]);
    world.deploy();
    world.set("version", "2");
    world.cut_off(2, Outcome::Unfinished);
    // As a release of another recipe leaves it: it says what this one had before.
    let mut later = world.records["host-1"][0].clone();
    later.number = crate::release::Number(3);
    let records = world.records.get_mut("host-1").expect("it has records");
    records.push(later);
    assert_snapshot!(world.plan(), @"host-1 web confirm web-r2: r2 ended before it saw that `web-r2` serves");
}

#[test]
fn what_a_release_that_was_cut_off_was_about_to_stop_is_confirmed_on_the_way_back() {
    let mut world = web_on_one_host();
    world.set("version", "2");
    world.cut_off(0, Outcome::Unfinished);
    world.set("version", "1");
    assert_snapshot!(world.plan(), @"host-1 web confirm web-r1: r2 ended before it saw that `web-r1` serves");
}

#[test]
fn a_failure_goes_back_to_what_a_release_that_was_cut_off_took_away() {
    let mut world = World::new(ONE_HOST, &[("web", CONSUL)]);
    world.deploy();
    world.set("version", "2");
    world.cut_off(2, Outcome::Unfinished);
    let way_back = |world: &World| {
        let plan = world.planned();
        let slot = &plan.recipes[0].slots[0];
        let names = slot.outgoing.iter().map(|name| name.retired.clone());
        (names.collect::<Vec<_>>(), slot.outgoing_restart.clone())
    };
    let kept = (vec!["web-r1".to_owned()], Some("no".to_owned()));
    assert_eq!(way_back(&world), kept);
    world.docker.container("host-1", "web").status = "exited";
    assert_eq!(way_back(&world), kept);
    world.deploy();
    assert_eq!(way_back(&world), (Vec::new(), None));
}
