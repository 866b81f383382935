//! Balancers without Consul, each with the files of docs/balancers.md: requests run through deploys, rollbacks and
//! accidents.

use std::{path::Path, time::Duration};

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, Host},
    pages::{blocks, pages, root},
    project::Project,
    stage::{Stage, deployed, failed},
};

/// A balancer of the page, on the lab.
struct Balancer {
    /// Its environment, as in the page.
    environment: &'static str,
    /// The app's recipe.
    app: &'static str,
    /// The balancer's own recipe.
    recipe: &'static str,
    /// The port of the balancer.
    port: u16,
    project: Project,
}

impl Balancer {
    /// The page's files, with the lab's hosts and images; nothing runs there yet.
    fn new(
        environment: &'static str,
        (balancer, app): (&'static str, &'static str),
        port: u16,
    ) -> Self {
        // What other scenarios have there is on the same port.
        lab::clear();
        let project = Project::empty(&format!("any-balancer-{environment}"));
        let page = pages()
            .into_iter()
            .find(|page| page.name == "docs/balancers.md");
        for block in blocks(&page.expect("the page")) {
            if !["toml", "handlebars"].contains(&&*block.kind) {
                continue;
            }
            let name = block.lines[0]
                .strip_prefix("# ")
                .expect("a file's name")
                .to_owned();
            // JSON has no comments: there the line is of the page alone.
            let skipped = usize::from(Path::new(&name).extension().is_some_and(|it| it == "json"));
            project.write(&name, &(block.lines[skipped..].join("\n") + "\n"));
        }
        let known_hosts = match lab::network() {
            lab::FIRST => root().join("lab/.state/known_hosts"),
            network => root().join(format!("lab/.state/known_hosts-{network}")),
        };
        // The app that can say that it is about to go.
        let image = match environment {
            "follow" => "flask-drain",
            _ => "flask-nanoservice",
        };
        project.write(
            "inventory/lab.toml",
            &format!(
                "extends = \"{environment}\"\n[ssh]\nuser = \"vagrant\"\nhost_keys = \"accept-new\"\n\
                identity_file = \"~/.vagrant.d/insecure_private_key\"\nknown_hosts_file = \"{}\"\n\
                [images]\nsource = \"local\"\n[vars]\nnginx_image = \"shipit-lab/nginx\"\n\
                haproxy_image = \"shipit-lab/haproxy\"\ncaddy_image = \"shipit-lab/caddy\"\nfollow_image = \"shipit-lab/nginx-follow\"\n\
                web_image = \"shipit-lab/{image}\"\n",
                known_hosts.display()
            ),
        );
        Self {
            environment,
            app,
            recipe: balancer,
            port,
            project,
        }
    }

    fn endpoint(&self) -> String {
        format!("{}:{}", HOST_3.address(), self.port)
    }

    fn endpoints(&self) -> &'static [&'static str] {
        vec![&*self.endpoint().leak()].leak()
    }

    fn deploy(&self, version: &str) -> crate::table::Deployed {
        deployed(
            &self.project,
            &format!("deploy lab --set version={version}"),
        )
        .0
    }

    /// The one container of the app on a host.
    #[track_caller]
    fn app_on(&self, host: Host) -> String {
        let apps = host.containers(&lab::of_recipe("lab", self.app));
        assert_eq!(apps.len(), 1, "on {}: {apps:?}", host.name);
        apps.into_iter().next().unwrap_or_default()
    }

    /// The host's port under which a container is reached.
    fn port_of(host: Host, container: &str) -> String {
        let ports = host.run(&format!("docker port {container} 5000/tcp"));
        let first = ports.lines().next().unwrap_or_default();
        first
            .rsplit_once(':')
            .map(|(_, port)| port.to_owned())
            .unwrap_or_default()
    }

    /// That every host answers through the balancer, with this version.
    #[track_caller]
    fn both_answer(&self, version: &str) {
        let url = format!("http://{}/", self.endpoint());
        let mut all = Vec::new();
        lab::eventually("both hosts answer", Duration::from_secs(10), || {
            all.push(lab::get(&url)?.trim().to_owned());
            all.sort();
            all.dedup();
            if all.len() == 2 {
                Ok(())
            } else {
                Err(format!("{all:?}"))
            }
        });
        let is_new = |answer: &String| answer.ends_with(&format!("({version})"));
        assert!(all.iter().all(is_new), "{all:?}");
    }

    fn row(&self, what: &str) -> String {
        format!("{}: {what}", self.environment)
    }
}

/// What every balancer goes through.
fn the_whole_way(stage: &Stage, it: &Balancer, deploys: usize) {
    let (project, to) = (&it.project, it.endpoints());
    project
        .ok("deploy lab --set version=v1")
        .says("deployed r1 to lab");
    it.both_answer("v1");
    project.ok("check lab");
    project
        .ok("deploy lab --set version=v1")
        .says("nothing to do");

    stage.loses_nothing_at(to, &it.row(&format!("{deploys} deploys")), |_| {
        let versions = ["v2", "v1"].into_iter().cycle().take(deploys);
        versions.map(|version| it.deploy(version)).collect()
    });
    it.both_answer("v1");
    stage.loses_nothing_at(to, &it.row("rollback, and forth again"), |_| {
        let runs = [project.ok("rollback lab"), project.ok("rollback lab")];
        runs.iter().map(Into::into).collect()
    });
    it.both_answer("v1");

    let before = APPS.map(|host| it.app_on(host));
    stage.loses_nothing_at(to, &it.row("a bad version"), |_| {
        let run = project.shipit("deploy lab --set version=crash");
        run.exits(5);
        failed(&run)
    });
    assert_eq!(APPS.map(|host| it.app_on(host)), before);
    it.both_answer("v1");

    stage.loses_nothing_at(
        to,
        &it.row("a deploy is killed at five points, then the next one"),
        |_| {
            for point in [
                "start ",
                "to be ready",
                "to route to",
                "to stop routing to",
                "stop ",
            ] {
                let mut doomed = project.start("deploy lab --set version=v2 -v");
                if doomed.wait_until(|line| line.contains(point) && line.contains(it.app)) {
                    doomed.signal("KILL");
                }
                let _ = doomed.finish();
            }
            vec![it.deploy("v2")]
        },
    );
    it.both_answer("v2");
    project.ok("check lab");
}

/// An app container is killed, and docker starts it again: it comes back at the same port.
fn comes_back(stage: &Stage, it: &Balancer) {
    let to = it.endpoints();
    let name = it.app_on(HOST_1);
    let port = Balancer::port_of(HOST_1, &name);
    let count = format!("docker inspect -f '{{{{.RestartCount}}}}' {name}");
    stage.loses_nothing_at(to, &it.row("an app container is killed"), |load| {
        // A POST that the killed container had already taken is lost to everyone: it may not be sent twice.
        let pid = format!("docker inspect -f '{{{{.State.Pid}}}}' {name}");
        load.between_posts(|| HOST_1.run(&format!("sudo kill -KILL $({pid})")));
        let what = "docker has started it again";
        lab::eventually(what, Duration::from_secs(20), || {
            let restarts = HOST_1.try_run(&count)?;
            if restarts.trim() == "1" {
                Ok(())
            } else {
                Err(restarts)
            }
        });
        Vec::new()
    });
    assert_eq!(Balancer::port_of(HOST_1, &name), port);
    it.both_answer("v2");
    it.project.ok("check lab");
}

pub fn nginx(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let project = &it.project;
    project
        .ok("plan lab --set version=v1")
        .says("write on host-3: /etc/nginx/conf.d/default.conf")
        .says(":(new port) max_fails=3");
    the_whole_way(stage, &it, 10);
    comes_back(stage, &it);

    // A list that somebody has changed.
    let list = "/etc/nginx/conf.d/default.conf";
    let first = it.app_on(HOST_1);
    let endpoint = format!("{}:{}", HOST_1.address(), Balancer::port_of(HOST_1, &first));
    HOST_3.run(&format!(
        "docker exec {0} sed -i s/{endpoint}/127.0.0.1:9/ {list} && docker exec {0} nginx -s reload",
        it.recipe
    ));
    project
        .shipit("check lab")
        .exits(1)
        .says(&format!("{list} lacks {endpoint} (`{first}`)"))
        .says(&format!("`lb` does not route to `{first}`"));
    project
        .ok("plan lab --set version=v2")
        .says("is not as what runs wants it")
        .says("1 to write");
    project.ok("check lab --fix").says("written");
    it.both_answer("v2");
    project.ok("check lab");

    // What nginx refuses takes nothing down.
    let template = std::fs::read_to_string(project.path("files/web.conf")).expect("the template");
    project.write(
        "files/web.conf",
        &template.replace("zone web 256k", "zome web 256k"),
    );
    stage.loses_nothing_at(it.endpoints(), &it.row("a list that nginx refuses"), |_| {
        let run = project.shipit("deploy lab --set version=v1");
        run.exits(1)
            .says("unknown directive \"zome\"")
            .says("no container was touched");
        failed(&run)
    });
    project.write("files/web.conf", &template);
    it.both_answer("v2");

    // A balancer that is made anew has its list from its first moment.
    project.edit(
        "recipes/lb.toml",
        "restart = \"always\"",
        "restart = \"unless-stopped\"",
    );
    project
        .ok("deploy lab --set version=v2")
        .says("is the only balancer");
    it.both_answer("v2");
    project.ok("stop lab web --limit host-1");
    let routes = HOST_3.run("docker exec lb curl -s http://127.0.0.1:8081/");
    assert!(!routes.contains(&HOST_1.address()), "{routes}");
    project.ok("start lab web --limit host-1");
    it.both_answer("v2");
    project.ok("check lab");
    project.ok("down lab --yes");
}

pub fn two_recipes(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
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

pub fn haproxy(stage: &Stage) {
    let it = Balancer::new("haproxy", ("haproxy", "shop"), 80);
    the_whole_way(stage, &it, 4);
    comes_back(stage, &it);

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
    project.ok("restart lab haproxy");
    it.both_answer("v2");
    project.ok("check lab");
    project.ok("down lab --yes");
}

pub fn caddy(stage: &Stage) {
    let it = Balancer::new("caddy", ("caddy", "blog"), 80);
    the_whole_way(stage, &it, 4);
    comes_back(stage, &it);
    // It keeps what it was told.
    HOST_3.run("docker restart caddy");
    it.both_answer("v2");
    it.project.ok("check lab");
    it.project.ok("down lab --yes");
}

pub fn follows_a_health_check(stage: &Stage) {
    let it = Balancer::new("follow", ("follow", "site"), 80);
    the_whole_way(stage, &it, 4);
    comes_back(stage, &it);
    let project = &it.project;
    // A container that was taken out is taken back when it serves again.
    project.ok("rollback lab");
    for host in APPS {
        let container = it.app_on(host);
        host.run(&format!("! docker exec {container} test -e /tmp/drain"));
    }
    // One that cannot say what it routes to needs a time instead.
    project.edit(
        "recipes/follow.toml",
        "upstreams = \"docker exec {{container}} curl -s http://127.0.0.1:8081/\"\n",
        "",
    );
    project
        .ok("plan lab --set version=v1")
        .says("`follow` cannot print what it routes to")
        .says("rests on `[drain] wait` (2s)");
    stage.loses_nothing_at(
        it.endpoints(),
        &it.row("it cannot say what it routes to"),
        |_| vec![it.deploy("v1")],
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
