//! Hosts for tests: sshd is in this process, and what commands come to is scripted.

use std::{path::Path, sync::Arc};

use secrecy::SecretString;

use super::Fleet;
use crate::{
    consul::Access,
    event::{Events, Receiver},
    model::{Environment, testing::TestProject},
    transport::{Connector, Paths, Prompt},
};

pub(crate) use server::{Act, Behaviour, Server, out};

#[path = "../../tests/transport/server.rs"]
#[expect(dead_code, reason = "the transport's own tests use more of it")]
mod server;

const KEY: &str = include_str!("../../tests/transport/keys/rsa");

struct Nobody;

impl Prompt for Nobody {
    fn passphrase(&self, _: &Path) -> Option<SecretString> {
        None
    }
}

/// What commands print as an error, and the status they end with.
pub(crate) fn fails(status: u32, stderr: &str) -> Vec<Act> {
    vec![Act::Err(stderr.as_bytes().to_vec()), Act::Status(status)]
}

/// What commands print, and that they end well.
pub(crate) fn prints(stdout: &str) -> Vec<Act> {
    vec![out(stdout), Act::Status(0)]
}

/// A server that lets the tests' user in.
pub(crate) fn behaviour() -> Behaviour {
    Behaviour::new(&KEY.parse().expect("a key"))
}

/// An environment whose hosts are `host-1`, `host-2`, …, and the sessions to them.
pub(crate) struct TestFleet {
    pub environment: Environment,
    pub connector: Connector,
    pub fleet: Fleet,
    pub servers: Vec<Server>,
    pub events: Events,
    pub told: Receiver,
    pub project: TestProject,
}

impl TestFleet {
    /// `recipes` are the names and contents of the recipes' files.
    pub async fn new(recipes: &[(&str, &str)], behaviours: Vec<Behaviour>) -> Self {
        let project = TestProject::new();
        let write = |path: &str, text: &str| project.write(path, text);
        write(".ssh/id_rsa", KEY);
        let (mut servers, mut known, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
        for (number, behaviour) in (1..).zip(behaviours) {
            let server = behaviour.start().await;
            let (port, key) = (server.port, server.host_key.to_openssh().expect("a key"));
            known.push(format!("[127.0.0.1]:{port} {key}\n"));
            hosts.push(format!(
                "host-{number} = {{ address = \"127.0.0.1\", port = {port} }}\n"
            ));
            servers.push(server);
        }
        write(".ssh/known_hosts", &known.concat());
        let names: Vec<_> = recipes.iter().map(|(name, _)| *name).collect();
        write(
            "inventory/staging.toml",
            &format!("recipes = {names:?}\n[hosts]\n{}", hosts.concat()),
        );
        for (name, content) in recipes {
            write(&format!("recipes/{name}.toml"), content);
        }
        let environment = project.environment();
        let paths = Paths {
            home: project.path().to_owned(),
            user: "deployer".into(),
            agent: None,
            system_config: project.path().join("none"),
            system_known_hosts: Vec::new(),
        };
        let connector = Connector::with_paths(Arc::new(Nobody), paths);
        let (events, told) = Events::channel();
        let all: Vec<_> = environment.hosts.iter().collect();
        let consul = Access::without_token(&environment.consul);
        let (fleet, failures) = Fleet::connect_to_any(&consul, &all, &connector, &events).await;
        assert!(failures.is_empty(), "{failures:?}");
        Self {
            environment,
            connector,
            fleet,
            servers,
            events,
            told,
            project,
        }
    }

    /// One host that does what `script` says, and a recipe `web` for it.
    pub async fn of_one(script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        Self::new(&[("web", recipe)], vec![behaviour().script(script)]).await
    }
}
