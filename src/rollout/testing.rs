//! One slot for tests: on a host whose docker is scripted, and whose connection is lost at a word.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
};

use serde_json::json;

use super::{
    machine::Side,
    slot::{Placement, RequiredRecipe, RolloutContext, SlotContainers},
};
use crate::{
    balancers::{BackendLists, Routing, Upstreams},
    docker::{self, Identity, PinnedImage, SpecHash},
    hosts::testing::{Act, Behaviour, TestFleet, behaviour, fails, prints},
    model::{EQUAL_WEIGHT, Recipe},
    plan::{Change, ContainerName, Desired, Incoming, SlotPlan},
    release::Number,
};

/// When the connection is lost, as seen from a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Before,
    After,
}

/// A host with docker.
#[derive(Clone, Default)]
pub(crate) struct FakeHost {
    /// By name, and whether each runs.
    pub containers: Arc<Mutex<BTreeMap<String, bool>>>,
    /// What commands have in them that lose the connection, once each.
    pub losses: Arc<Mutex<Vec<(&'static str, Lost)>>>,
    /// What commands have in them that docker refuses, once each.
    pub refusals: Arc<Mutex<Vec<&'static str>>>,
    /// The port on the host that each container has.
    pub port: Arc<AtomicU16>,
    /// Whether `migrate` has run here; `test -e migrated` says so.
    pub is_migrated: Arc<AtomicBool>,
}

impl FakeHost {
    pub fn has(self, name: &str, runs: bool) -> Self {
        let mut containers = self.containers.lock().expect("not poisoned");
        containers.insert(name.to_owned(), runs);
        drop(containers);
        self
    }

    pub fn at_port(self, port: u16) -> Self {
        self.port.store(port, Ordering::SeqCst);
        self
    }

    pub fn loses(self, command: &'static str, when: Lost) -> Self {
        let mut losses = self.losses.lock().expect("not poisoned");
        losses.push((command, when));
        drop(losses);
        self
    }

    pub fn refuses(self, command: &'static str) -> Self {
        let mut refusals = self.refusals.lock().expect("not poisoned");
        refusals.push(command);
        drop(refusals);
        self
    }

    pub fn behaviour(&self) -> Behaviour {
        let host = self.clone();
        behaviour().script(move |command| host.does(command))
    }

    fn does(&self, command: &str) -> Vec<Act> {
        let mut losses = self.losses.lock().expect("not poisoned");
        let lost = losses.iter().position(|(part, _)| command.contains(part));
        let lost = lost.map(|at| losses.remove(at).1);
        drop(losses);
        if lost == Some(Lost::Before) {
            return vec![Act::Disconnect("cut")];
        }
        let mut refusals = self.refusals.lock().expect("not poisoned");
        let refused = refusals.iter().position(|part| command.contains(part));
        if let Some(at) = refused {
            refusals.remove(at);
            return fails(1, "Error response from daemon: : unknown\n");
        }
        drop(refusals);
        let acts = self.docker(command);
        if lost == Some(Lost::After) {
            return vec![Act::Disconnect("cut")];
        }
        acts
    }

    fn docker(&self, command: &str) -> Vec<Act> {
        let port = self.port.load(Ordering::SeqCst);
        let mut containers = self.containers.lock().expect("not poisoned");
        let words: Vec<_> = command.split(' ').collect();
        let name = (*words.last().expect("a command")).to_owned();
        match &words[..] {
            _ if command.contains("$(docker ps") => {
                let all = containers
                    .iter()
                    .map(|(name, runs)| shown(name, *runs, port));
                prints(&all.collect::<serde_json::Value>().to_string())
            }
            ["docker", "inspect", ..] => {
                if let Some(runs) = containers.get(&name) {
                    return prints(&json!([shown(&name, *runs, port)]).to_string());
                }
                let mut acts = fails(1, "Error: No such container\n");
                acts.insert(0, Act::Out(b"[]\n".to_vec()));
                acts
            }
            ["docker", "run", "--detach", "--name", name, ..] => {
                if containers.insert((*name).to_owned(), true).is_some() {
                    return fails(
                        125,
                        "Conflict. The name is already in use by container c1.\n",
                    );
                }
                prints("c1\n")
            }
            ["docker", verb @ ("start" | "stop"), ..] => {
                containers.insert(name, *verb == "start");
                prints("")
            }
            ["docker", "rename", from, _] => {
                let runs = containers.remove(*from).expect("it is there");
                containers.insert(name, runs);
                prints("")
            }
            ["sh", "-c", "migrate"] => {
                self.is_migrated.store(true, Ordering::SeqCst);
                prints("")
            }
            _ if command.contains("test -e migrated") => {
                let status = u32::from(!self.is_migrated.load(Ordering::SeqCst));
                vec![Act::Status(status)]
            }
            _ => prints(""),
        }
    }
}

/// A container, `RECIPE-rN`, as docker shows it.
pub(crate) fn shown(name: &str, runs: bool, port: u16) -> serde_json::Value {
    let (recipe, release) = name.rsplit_once("-r").unwrap_or((name, "0"));
    let labels = Identity {
        environment: "staging".into(),
        preview_of: None,
        recipe: recipe.to_owned(),
        release: release.parse().expect("a release"),
        instance: 1,
        spec: hash(),
    }
    .labels();
    let status = if runs { "running" } else { "exited" };
    json!({
        "Id": name, "Name": format!("/{name}"), "Image": "sha256:aa",
        "State": {"Status": status, "Running": runs, "Pid": 7},
        "Config": {"Labels": labels}, "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port.to_string()}]}},
    })
}

fn desired() -> Desired {
    let json = json!({"image": "web:2", "stop_timeout": {"secs": 10, "nanos": 0}});
    Desired {
        spec: serde_json::from_value(json).expect("a spec"),
        image: PinnedImage {
            reference: "web@sha256:aa".into(),
            digest: "sha256:aa".into(),
            id: None,
        },
        instances: 1,
        secrets: BTreeMap::new(),
        unread: None,
        stopped: None,
    }
}

fn hash() -> SpecHash {
    let desired = desired();
    SpecHash::of(&desired.spec, &desired.image, &desired.secrets, "")
}

fn name(name: &str) -> ContainerName {
    ContainerName {
        active: name.into(),
        retired: name.into(),
    }
}

/// The slot of `web` on `host-1`, where `web-r2` comes in the place of `web-r1`. Every further host has a balancer.
pub(crate) struct TestSlot {
    pub lab: TestFleet,
    pub placement: Placement,
}

impl TestSlot {
    /// `web` is the rest of its recipe's file.
    pub async fn new(web: &str, behaviours: Vec<Behaviour>) -> Self {
        let web = format!("hosts = \"all\"\n[container]\nimage = \"web\"\n{web}");
        let balancer = "hosts = \"all\"\ncontainer.image = \"lb\"\nbalancer = { upstreams = \"upstreams\", errors = \"errors\" }\n";
        let lab = TestFleet::new(&[("lb", balancer), ("web", &web)], behaviours).await;
        let recipe = |name: &str| lab.environment.recipe(name).expect("a recipe").clone();
        let reached = lab.fleet.hosts()[0].clone();
        let plan = SlotPlan {
            host: reached.name().clone(),
            instance: 1,
            change: Change::Replace,
            incoming: Some(Incoming {
                name: name("web-r2"),
                made_by: Number(2),
                exists: false,
                runs: false,
                desired: desired(),
                hash: hash(),
            }),
            outgoing: vec![name("web-r1")],
            outgoing_restart: None,
            reason: String::new(),
            differences: Vec::new(),
        };
        let old = docker::parse_containers(&json!([shown("web-r1", true, 32768)]).to_string());
        let old = old.expect("docker's JSON");
        let lists = Arc::<BackendLists>::default();
        let context = RolloutContext {
            preview_of: None,
            routing: Routing::of(&recipe("web"), balancers(&lab, &recipe("lb")), &lists, "r2"),
            lists,
            ports: 20000..=29999,
            recipe: Arc::new(recipe("web")),
            environment: "staging".into(),
            by: "alice@laptop".into(),
            release: Number(2),
            events: lab.events.clone(),
            required: Vec::new(),
            consul_servers: 0,
            consul_hosts: Vec::new(),
        };
        let host_recipe = recipe("web").by_host[reached.name()].clone();
        let placement = Placement {
            context: Arc::new(context),
            host_recipe: Arc::new(host_recipe),
            reached,
            containers: SlotContainers::before(&plan, &old),
            plan,
            is_first: true,
            is_last: false,
            runs_tasks: true,
            outgoing_is_up: true,
            stops: Default::default(),
            waits_for_switch: Default::default(),
            weight: EQUAL_WEIGHT.into(),
        };
        Self { lab, placement }
    }

    /// What ran on a host, but for what only looks.
    pub fn ran(&self, host: usize) -> Vec<String> {
        let commands = self.lab.servers[host - 1].seen.commands.lock();
        let commands = commands.expect("not poisoned");
        let acts = commands
            .iter()
            .filter(|command| !command.contains("docker inspect"));
        let verb = |command: &String| command.split(" --").next().unwrap_or_default().to_owned();
        acts.map(verb).collect()
    }

    /// Its recipe requires this one, which runs on every host.
    pub fn requires(&mut self, recipe: &str) {
        let context = Arc::get_mut(&mut self.placement.context).expect("nobody else's");
        context.required.push(RequiredRecipe {
            name: recipe.parse().expect("a name"),
            environment: "staging".parse().expect("a name"),
            hosts: vec!["host-1".into()],
        });
    }

    /// Takes the look that comes after a start.
    pub async fn look_again(&self, side: Side) {
        let looked = self.placement.inspect_again(side).await;
        looked.expect("docker answers");
    }
}

/// The balancers of every host but the first.
pub fn balancers(lab: &TestFleet, recipe: &Recipe) -> Vec<Upstreams> {
    Upstreams::on_each(&lab.fleet.hosts()[1..], recipe, "lb")
}
