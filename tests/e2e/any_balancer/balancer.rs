//! A balancer of docs/balancers.md, with its files.

use std::{path::Path, time::Duration};

use crate::{
    lab::{self, APPS, HOST_1, HOST_3, Host},
    pages::{blocks, pages, root},
    project::Project,
    stage::deployed,
};

/// A balancer of the page, on the lab.
pub(super) struct Balancer {
    /// Its environment, as in the page.
    pub environment: &'static str,
    /// The app's recipe.
    pub app: &'static str,
    /// The balancer's own recipe.
    pub recipe: &'static str,
    /// The port of the balancer.
    port: u16,
    pub project: Project,
}

impl Balancer {
    /// The page's files, with the lab's hosts and images; nothing runs there yet.
    pub fn new(
        environment: &'static str,
        (balancer, app): (&'static str, &'static str),
        port: u16,
    ) -> Self {
        // What other scenarios have there is on the same port.
        lab::clear_but_images();
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

    pub fn endpoints(&self) -> &'static [&'static str] {
        vec![&*self.endpoint().leak()].leak()
    }

    /// Has the app rolled out in this way, and no longer than it takes.
    pub fn rolls_out(&self, how: &str) {
        let recipe = format!("recipes/{}.toml", self.app);
        let quick = format!("[rollout]\n{how}\nmin_healthy_time = \"0s\"\n\n[drain]");
        self.project.edit(&recipe, "[drain]", &quick);
    }

    /// Whether each of the app's containers has a port of its own, so that several can run on one host.
    pub fn has_ports_of_its_own(&self) -> bool {
        let recipe = self.project.path(&format!("recipes/{}.toml", self.app));
        let recipe = std::fs::read_to_string(recipe).expect("the recipe");
        recipe.contains("publish = [\"auto:")
    }

    pub fn deploy(&self, version: &str) -> crate::table::Deployed {
        deployed(
            &self.project,
            &format!("deploy lab --set version={version}"),
        )
        .0
    }

    /// The one container of the app on a host.
    #[track_caller]
    pub fn app_on(&self, host: Host) -> String {
        let apps = host.containers(&lab::of_recipe("lab", self.app));
        assert_eq!(apps.len(), 1, "on {}: {apps:?}", host.name);
        apps.into_iter().next().unwrap_or_default()
    }

    /// The host's port under which a container is reached.
    pub fn port_of(host: Host, container: &str) -> String {
        let ports = host.run(&format!("docker port {container} 5000/tcp"));
        let first = ports.lines().next().unwrap_or_default();
        first
            .rsplit_once(':')
            .map(|(_, port)| port.to_owned())
            .unwrap_or_default()
    }

    /// That every host answers through the balancer, with this version.
    #[track_caller]
    pub fn both_answer(&self, version: &str) {
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

    pub fn row(&self, what: &str) -> String {
        format!("{}: {what}", self.environment)
    }

    /// That an app container that went down by itself serves again, and at the same port.
    #[track_caller]
    pub fn is_back_at(&self, container: &str, port: &str, version: &str) {
        self.both_answer(version);
        assert_eq!(Self::port_of(HOST_1, container), port);
        self.project.ok("check lab");
    }

    /// A container that was taken out by a file of its own is taken back when it serves again.
    #[track_caller]
    pub fn none_is_marked_as_leaving(&self) {
        for host in APPS {
            let container = self.app_on(host);
            host.run(&format!("! docker exec {container} test -e /tmp/drain"));
        }
    }
}
