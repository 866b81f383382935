//! Fixed ports that are taken, and balancers that are down where a deploy does not go.

use insta::assert_snapshot;

use super::world::{ONE_HOST, World};
use crate::facts::ports::TakenPort;

const LB: &str =
    "hosts = \"all\"\ncontainer = { image = \"lb:{{version}}\", publish = [\"80:80\"] }\n";

fn of_lb() -> World {
    World::new(&ONE_HOST.replace("web", "lb"), &[("lb", LB)])
}

#[test]
fn a_port_of_a_container_that_shipit_did_not_make_is_an_obstacle() {
    let mut world = of_lb();
    world.docker.add_foreign("host-1", "nginx");
    world.docker.container("host-1", "nginx").ports = "0.0.0.0:80->8080/tcp, [::]:80->8080/tcp";
    assert_snapshot!(world.plan(), @"
        host-1 lb create lb: nothing runs here yet
        obstacle on host-1: `lb` publishes 80:80, and the container `nginx` has port 80/tcp [`docker stop nginx` on that host, or another `publish`]
    ");
    world.docker.container("host-1", "nginx").status = "exited";
    assert_snapshot!(world.plan(), @"host-1 lb create lb: nothing runs here yet");
    // Another port, and another protocol.
    let nginx = world.docker.container("host-1", "nginx");
    (nginx.status, nginx.ports) = ("running", "0.0.0.0:81->80/tcp, 0.0.0.0:80->80/udp");
    assert_snapshot!(world.plan(), @"host-1 lb create lb: nothing runs here yet");
}

#[test]
fn the_container_that_is_replaced_gives_its_port_up() {
    let mut world = of_lb();
    world.deploy();
    world.docker.container("host-1", "lb").ports = "0.0.0.0:80->80/tcp";
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 lb replace lb (then lb-r1) → lb: in place of `lb`
            image: lb:1 (sha256:111111111111) → lb:2 (sha256:222222222222)
    ");
}

#[test]
fn a_program_that_listens_on_the_port_is_an_obstacle() {
    let mut world = of_lb();
    world.listening.push(TakenPort {
        ip: Some("127.0.0.1".to_owned()),
        ports: 80..=80,
        protocol: "tcp".to_owned(),
        container: None,
    });
    assert_snapshot!(world.plan(), @"
        host-1 lb create lb: nothing runs here yet
        obstacle on host-1: `lb` publishes 80:80, and a program on the host has port 80/tcp [`sudo ss -ltnp 'sport = :80'` on that host shows which]
    ");
    // Docker's own proxy is such a program, too.
    let proxy = std::mem::take(&mut world.listening);
    world.deploy();
    world.listening = proxy;
    world.docker.container("host-1", "lb").ports = "0.0.0.0:80->80/tcp";
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 lb replace lb (then lb-r1) → lb: in place of `lb`
            image: lb:1 (sha256:111111111111) → lb:2 (sha256:222222222222)
    ");
}

#[test]
fn two_recipes_with_one_port_are_an_obstacle() {
    let inventory = ONE_HOST.replace("[\"web\"]", "[\"lb\", \"web\"]");
    let mut world = World::new(&inventory, &[("lb", LB), ("web", LB)]);
    assert_snapshot!(world.plan(), @"
        host-1 lb create lb: nothing runs here yet
        host-1 web create web: nothing runs here yet
        obstacle on host-1: `web` publishes 80:80, and `lb` publishes the same port [give one of the two recipes another port]
    ");
    // One that already has it, of another recipe of ours.
    world.limit(&[], &["lb"]);
    world.deploy();
    world.docker.container("host-1", "lb").ports = "0.0.0.0:80->80/tcp";
    world.limit(&[], &["web"]);
    assert_snapshot!(world.plan(), @"
        host-1 web create web: nothing runs here yet
        obstacle on host-1: `web` publishes 80:80, and the container `lb` has port 80/tcp [give `web` or `lb` another port]
    ");
}

#[test]
fn a_balancer_that_is_down_outside_of_the_limit_is_an_obstacle() {
    let inventory = "recipes = [\"lb\", \"web\"]\n[hosts]\n\
        host-1 = { address = \"192.0.2.1\", groups = [\"apps\"] }\n\
        host-2 = { address = \"192.0.2.2\", groups = [\"balancers\"] }\n";
    let lb = "hosts = \"balancers\"\ncontainer.image = \"lb\"\nbalancer.upstreams = \"true\"\n";
    let web = "hosts = \"apps\"\ncontainer = { image = \"web:{{version}}\", publish_all = true }\ndrain.balancers = [\"lb\"]\n";
    let mut world = World::new(inventory, &[("lb", lb), ("web", web)]);
    world.deploy();
    world.set("version", "2");
    world.limit(&["host-1"], &[]);
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
    ");
    world.docker.container("host-2", "lb-r1").status = "exited";
    assert_snapshot!(world.plan(), @"
        host-1 web replace web-r1 → web-r2: in place of `web-r1`
            image: web:1 (sha256:111111111111) → web:2 (sha256:222222222222)
        obstacle: `lb` does not run on `host-2`, and `web` needs it [shipit deploy staging]
    ");
}

#[test]
fn a_port_is_given_up_only_by_what_leaves_that_very_host() {
    let inventory = "recipes = [\"old\", \"lb\"]\n[hosts]\n\
        host-1 = { address = \"192.0.2.1\" }\n\
        host-2 = { address = \"192.0.2.2\" }\n";
    let old =
        "hosts = \"host-1\"\ncontainer = { image = \"lb:{{version}}\", publish = [\"80:80\"] }\n";
    let lb =
        "hosts = \"host-2\"\ncontainer = { image = \"lb:{{version}}\", publish = [\"80:80\"] }\n";
    let mut world = World::new(inventory, &[("old", old), ("lb", lb)]);
    world.limit(&[], &["old"]);
    world.deploy();
    world.docker.container("host-1", "old").ports = "0.0.0.0:80->80/tcp";
    // A container of the same name on the other host does not leave.
    world.docker.add_foreign("host-2", "old");
    world.docker.container("host-2", "old").ports = "0.0.0.0:80->80/tcp";
    world.limit(&[], &[]);
    world.set("version", "2");
    assert_snapshot!(world.plan(), @"
        host-1 old replace old (then old-r1) → old: in place of `old`
            image: lb:1 (sha256:111111111111) → lb:2 (sha256:222222222222)
        host-2 lb create lb: nothing runs here yet
        obstacle on host-2: `lb` publishes 80:80, and the container `old` has port 80/tcp [`docker stop old` on that host, or another `publish`]
    ");
}
