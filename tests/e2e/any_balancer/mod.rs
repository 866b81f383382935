//! Balancers without Consul, each with the files of docs/balancers.md: requests run through deploys, rollbacks and
//! accidents.

mod balancer;
pub mod blue_green;
pub mod canary;
pub mod registers;
mod way;

use std::time::Duration;

use balancer::Balancer;
use way::the_whole_way;

use crate::{
    lab::{self, HOST_1, HOST_2, HOST_3},
    stage::{Stage, deployed, failed, other},
};

pub fn nginx(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let project = &it.project;
    project
        .ok("plan lab --set version=v1")
        .says("write on host-3: /etc/nginx/conf.d/default.conf")
        .says(":(new port) weight=100 max_fails=3");
    let version = the_whole_way(stage, &it);

    // A list that somebody has changed.
    let list = "/etc/nginx/conf.d/default.conf";
    let first = it.app_on(HOST_1);
    let endpoint = format!("{}:{}", HOST_1.address(), Balancer::port_of(HOST_1, &first));
    HOST_3.run(&format!(
        "docker exec {0} sed -i s/{endpoint}/127.0.0.1:9/ {list} && docker exec {0} nginx -s reload",
        it.recipe
    ));
    // nginx has told its workers, and they have yet to act on it.
    lab::eventually("its workers have the list", Duration::from_secs(10), || {
        let routes = HOST_3.try_run("docker exec lb curl -s http://127.0.0.1:8081/")?;
        if routes.contains(&endpoint) {
            Err(routes)
        } else {
            Ok(())
        }
    });
    project
        .shipit("check lab")
        .exits(1)
        .says(&format!("{list} lacks {endpoint} (`{first}`)"))
        .says(&format!("`lb` does not route to `{first}`"));
    project
        .ok(&format!("plan lab --set version={version}"))
        .says("is not as what runs wants it")
        .says("1 to write");
    project.ok("check lab --fix").says("written");
    it.both_answer(version);
    project.ok("check lab");

    // What nginx refuses takes nothing down.
    let template = std::fs::read_to_string(project.path("files/web.conf")).expect("the template");
    project.write(
        "files/web.conf",
        &template.replace("zone web 256k", "zome web 256k"),
    );
    stage.loses_nothing_at(it.endpoints(), &it.row("a list that nginx refuses"), |_| {
        let run = project.shipit(&format!("deploy lab --set version={}", other(version)));
        run.exits(1)
            .says("unknown directive \"zome\"")
            .says("no container was touched");
        failed(&run)
    });
    project.write("files/web.conf", &template);
    it.both_answer(version);

    // A balancer that is made anew has its list from its first moment.
    project.edit(
        "recipes/lb.toml",
        "restart = \"always\"",
        "restart = \"unless-stopped\"",
    );
    project
        .ok(&format!("deploy lab --set version={version}"))
        .says("is the only balancer");
    it.both_answer(version);
    project.ok("stop lab web --limit host-1");
    let routes = HOST_3.run("docker exec lb curl -s http://127.0.0.1:8081/");
    assert!(!routes.contains(&HOST_1.address()), "{routes}");
    project.ok("start lab web --limit host-1");
    it.both_answer(version);
    project.ok("check lab");
    project.ok("down lab --yes");
}

pub fn two_recipes(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    it.rolls_out("max_parallel = \"100%\"");
    let project = &it.project;
    let web = std::fs::read_to_string(project.path("recipes/web.toml")).expect("the recipe");
    project.write("recipes/admin.toml", &web);
    project.edit("inventory/nginx.toml", "\"web\"]", "\"web\", \"admin\"]");
    project.edit(
        "files/web.conf",
        "# For `upstreams`",
        "upstream admin {\n{{#each backends.admin}}\n    server {{endpoint}};\n{{else}}\n    server 127.0.0.1:9 down;\n{{/each}}\n}\n\
        server {\n    listen 127.0.0.1:8083;\n    return 200 \"{{#each backends.admin}}{{endpoint}} {{/each}}\";\n}\n# For `upstreams`",
    );
    project.edit(
        "files/web.conf",
        "return 200 \"{{#each backends.web}}{{endpoint}} {{/each}}\\n\"",
        "return 200 \"{{#each backends}}{{#each this}}{{endpoint}} {{/each}}{{/each}}\\n\"",
    );
    project.ok("deploy lab --set version=v1");
    let routed =
        |port: u16| HOST_3.run(&format!("docker exec lb curl -s http://127.0.0.1:{port}/"));
    let admin = routed(8083);
    assert_eq!(admin.split_whitespace().count(), 2, "{admin}");
    stage.loses_nothing_at(
        it.endpoints(),
        "nginx: one of two recipes behind it",
        |_| {
            vec![
                deployed(project, "deploy lab web --set version=v2").0,
                deployed(project, "deploy lab admin --set version=v2").0,
                deployed(project, "deploy lab web --set version=v1 --limit host-1").0,
            ]
        },
    );
    assert_eq!(routed(8081).split_whitespace().count(), 4);
    assert_ne!(routed(8083), admin);
    project.ok("check lab");
    for host in [HOST_1, HOST_2] {
        let ports: Vec<_> = ["web", "admin"]
            .map(|recipe| host.containers(&lab::of_recipe("lab", recipe)).concat())
            .map(|name| Balancer::port_of(host, &name))
            .to_vec();
        assert_ne!(ports[0], ports[1], "{ports:?}");
    }

    // A host that is down is refused before anything is changed.
    let everything = lab::everything();
    project.edit("inventory/nginx.toml", "192.168.50.103", "192.168.50.199");
    project
        .shipit("deploy lab web --set version=v2 --limit host-1")
        .exits(3)
        .says("host-3");
    project.edit("inventory/nginx.toml", "192.168.50.199", "192.168.50.103");
    assert_eq!(lab::everything(), everything);
    project.ok("down lab --yes");
}

/// One of two balancers does not read its list: the error says who routes where, nothing is lost behind either, and the
/// next deploy goes on once it does.
pub fn one_of_two_refuses(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let project = &it.project;
    it.rolls_out("max_parallel = \"100%\"");
    project.edit(
        "inventory/nginx.toml",
        "host-2 = { address = \"192.168.50.102\", groups = [\"apps\"] }",
        "host-2 = { address = \"192.168.50.102\", groups = [\"apps\", \"balancers\"] }",
    );
    project.edit(
        "recipes/lb.toml",
        "reload = \"nginx -s reload\"",
        "reload = \"test ! -e /tmp/refuses && nginx -s reload\"",
    );
    project.ok("deploy lab --set version=v1");
    let second: &str = format!("{}:80", HOST_2.address()).leak();
    let both: &[&str] = vec![it.endpoints()[0], second].leak();
    let before = HOST_2.run("docker exec lb curl -s http://127.0.0.1:8081/");

    HOST_2.run("docker exec lb touch /tmp/refuses");
    stage.loses_nothing_at(
        both,
        "nginx: one of two balancers does not read its list",
        |_| {
            let run = project.shipit("deploy lab --set version=v2");
            // It refuses every list, and has the old one: there is nothing for it to go back from.
            run.exits(5)
                .says("serving (reverted)")
                .says("`lb` on `host-2` routes as before")
                .says("`lb` on `host-3` has the new list");
            failed(&run)
        },
    );
    let now = HOST_2.run("docker exec lb curl -s http://127.0.0.1:8081/");
    assert_eq!(now, before, "it routes as before");

    HOST_2.run("docker exec lb rm /tmp/refuses");
    stage.loses_nothing_at(both, "nginx: two balancers", |_| vec![it.deploy("v2")]);
    it.both_answer("v2");
    project.ok("check lab");
    project.ok("down lab --yes");
}

pub fn haproxy(stage: &Stage) {
    let it = Balancer::new("haproxy", ("haproxy", "shop"), 80);
    let version = the_whole_way(stage, &it);

    // What it was told is gone with its container, and it is told again.
    let routed =
        || HOST_3.run("echo 'show stat' | docker exec -i haproxy socat stdio /run/haproxy.sock");
    assert_eq!(routed().matches("-shop-r").count(), 2, "{}", routed());
    HOST_3.run("docker restart haproxy");
    lab::eventually("it answers", Duration::from_secs(10), || {
        let seen = HOST_3
            .try_run("echo 'show stat' | docker exec -i haproxy socat stdio /run/haproxy.sock")?;
        if seen.contains("BACKEND") {
            Ok(())
        } else {
            Err(seen)
        }
    });
    let project = &it.project;
    project
        .shipit("check lab")
        .exits(1)
        .says("`haproxy` does not route to `shop-r");
    project.ok("check lab --fix").says("told");
    it.both_answer(version);
    project.ok("check lab");
    // One that shipit starts is told of all before anything else.
    project.ok("restart lab haproxy");
    it.both_answer(version);
    project.ok("check lab");
    project.ok("down lab --yes");
}

pub fn caddy(stage: &Stage) {
    let it = Balancer::new("caddy", ("caddy", "blog"), 80);
    let version = the_whole_way(stage, &it);
    // It keeps what it was told.
    HOST_3.run("docker restart caddy");
    it.both_answer(version);
    it.project.ok("check lab");
    it.project.ok("down lab --yes");
}

pub fn follows_a_health_check(stage: &Stage) {
    let it = Balancer::new("follow", ("follow", "site"), 80);
    let version = the_whole_way(stage, &it);
    let project = &it.project;
    // One that cannot say what it routes to needs a time instead.
    project.edit(
        "recipes/follow.toml",
        "upstreams = \"docker exec {{container}} curl -s http://127.0.0.1:8081/\"\n",
        "",
    );
    project
        .ok(&format!("plan lab --set version={}", other(version)))
        .says("`follow` cannot print what it routes to")
        .says("rests on `[drain] wait` (2s)");
    stage.loses_nothing_at(
        it.endpoints(),
        &it.row("it cannot say what it routes to"),
        |_| vec![it.deploy(other(version))],
    );
    project.edit("recipes/site.toml", "wait = \"2s\"\n", "");
    project
        .shipit("validate lab")
        .exits(2)
        .says("`follow` has no `upstreams`");
    project.write(
        "recipes/site.toml",
        "hosts = \"apps\"\n[container]\nimage = \"x\"\n",
    );
    project.ok("down lab --yes");
}
