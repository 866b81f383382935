//! Names that others have.

use insta::assert_snapshot;

use super::world::{CONSUL, ONE_HOST, WEB, World};

#[test]
fn a_name_that_a_foreign_container_has_is_an_obstacle() {
    let mut world = World::new(ONE_HOST, &[("web", CONSUL)]);
    world.docker.add_foreign("host-1", "web");
    assert_snapshot!(world.plan(), @"
        host-1 web create web: nothing runs here yet
        obstacle on host-1: a container named `web` exists that shipit did not make [`docker rename web web-old` or `docker rm --force web` on that host]
    ");
}

#[test]
fn the_name_that_the_old_one_is_kept_under_may_be_taken_as_well() {
    let mut world = World::new(ONE_HOST, &[("web", CONSUL)]);
    world.deploy();
    world.docker.add_foreign("host-1", "web-r1");
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 web replace web (then web-r1) → web: in place of `web`
            image: consul:1 (sha256:111111111111) → consul:2 (sha256:222222222222)
        obstacle on host-1: a container named `web-r1` exists that shipit did not make [`docker rename web-r1 web-r1-old` or `docker rm --force web-r1` on that host]
    ");
}

#[test]
fn a_kept_one_cannot_come_back_under_a_name_that_is_taken() {
    let mut world = World::new(ONE_HOST, &[("web", CONSUL)]);
    world.deploy();
    let kept = world.docker.container("host-1", "web");
    (kept.name, kept.status) = ("web-r1".into(), "exited");
    world.docker.add_foreign("host-1", "web");
    assert_snapshot!(world.plan(), @"
        host-1 web start web (or web-r1): `web-r1` exists but is exited
        obstacle on host-1: a container named `web` exists that shipit did not make [`docker rename web web-old` or `docker rm --force web` on that host]
    ");
}

#[test]
fn two_environments_of_one_start_first_recipe_share_a_host() {
    let mut blue = World::named("blue", ONE_HOST, &[("web", WEB)]);
    blue.deploy();
    let mut staging = World::new(ONE_HOST, &[("web", WEB)]);
    staging.docker = blue.docker.clone();
    assert_snapshot!(staging.deploy(), @"host-1 web create staging-web-r1: nothing runs here yet");
    staging.set("version", "2");
    assert_snapshot!(staging.deploy(), @"
        host-1 web replace staging-web-r1 → web-r2: in place of `staging-web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
    assert_snapshot!(staging.docker.listed("host-1"), @"
        staging-web-r1 exited
        web-r1 running
        web-r2 running
    ");
}

#[test]
fn two_environments_of_one_stop_first_recipe_share_a_host() {
    let mut blue = World::named("blue", ONE_HOST, &[("web", CONSUL)]);
    blue.deploy();
    let mut staging = World::new(ONE_HOST, &[("web", CONSUL)]);
    staging.docker = blue.docker.clone();
    assert_snapshot!(staging.deploy(), @"host-1 web create staging-web: nothing runs here yet");
    staging.set("version", "2");
    assert_snapshot!(staging.deploy(), @"
        host-1 web replace staging-web (then web-r1) → staging-web: in place of `staging-web`
            image: consul:1 (sha256:111111111111) → consul:2 (sha256:222222222222)
    ");

    blue.docker = staging.docker.clone();
    blue.set("version", "2");
    assert_snapshot!(blue.deploy(), @"
        host-1 web replace web (then blue-web-r1) → web: in place of `web`
            image: consul:1 (sha256:111111111111) → consul:2 (sha256:222222222222)
    ");
    assert_snapshot!(blue.docker.listed("host-1"), @"
        blue-web-r1 exited
        staging-web running
        web running
        web-r1 exited
    ");

    staging.docker = blue.docker.clone();
    assert_snapshot!(staging.roll_back(1), @"
        host-1 web replace staging-web (then web-r2) → staging-web (or web-r1): `web-r1` exists but is exited
            image: consul:2 (sha256:222222222222) → consul:1 (sha256:111111111111)
    ");
    assert_snapshot!(staging.docker.listed("host-1"), @"
        blue-web-r1 exited
        staging-web running
        web running
        web-r2 exited
    ");
}

#[test]
fn a_kept_one_with_a_prefix_is_found_when_the_other_environment_is_gone() {
    let mut blue = World::named("blue", ONE_HOST, &[("web", CONSUL)]);
    blue.deploy();
    let mut staging = World::new(ONE_HOST, &[("web", CONSUL)]);
    staging.docker = blue.docker.clone();
    staging.deploy();
    let ours = |container: &super::world::Fake| container.name.starts_with("staging");
    staging.docker.containers("host-1").retain(ours);
    staging.docker.container("host-1", "staging-web").status = "exited";
    assert_snapshot!(staging.deploy(), @"host-1 web start staging-web (or web-r1): `staging-web` exists but is exited");
    staging.set("version", "2");
    assert_snapshot!(staging.deploy(), @"
        host-1 web replace staging-web (then web-r1) → web: in place of `staging-web`
            image: consul:1 (sha256:111111111111) → consul:2 (sha256:222222222222)
    ");
    assert_snapshot!(staging.docker.listed("host-1"), @"
        web running
        web-r1 exited
    ");
}

#[test]
fn the_second_instance_of_one_recipe_may_be_called_as_another_recipe() {
    let two = format!("{CONSUL}instances = 2\n");
    let inventory = ONE_HOST.replace("[\"web\"]", "[\"web\", \"web-2\"]");
    let world = World::new(&inventory, &[("web", &two), ("web-2", CONSUL)]);
    assert_snapshot!(world.plan(), @"
        host-1 web create web: nothing runs here yet
        host-1 web[2] create web-2: nothing runs here yet
        host-1 web-2 create web-2: nothing runs here yet
        obstacle on host-1: containers of `web` and `web-2` would both be called `web-2` [give one of the two recipes another name]
    ");
}

#[test]
fn a_stopped_one_makes_room_though_another_environment_has_its_kept_name() {
    let mut blue = World::named("blue", ONE_HOST, &[("web", CONSUL)]);
    blue.deploy();
    blue.set("version", "2");
    blue.deploy();
    let mut staging = World::new(ONE_HOST, &[("web", CONSUL)]);
    staging.docker = blue.docker.clone();
    staging.deploy();
    staging.docker.container("host-1", "staging-web").status = "exited";
    staging.set("version", "3");
    assert_snapshot!(staging.deploy(), @"host-1 web create staging-web: nothing runs here now");
    assert_snapshot!(staging.docker.listed("host-1"), @"
        staging-web running
        staging-web-r1 exited
        web running
        web-r1 exited
    ");
}
