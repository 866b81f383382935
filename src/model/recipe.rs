//! A recipe: one container and/or commands, where they run, and how they roll out.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    BackendCommands, BackendsFile, ContainerSpec, Count, HostName, Name, Order, Percentage, Scheme,
    SecretSource, Template, keys::meant,
};
use crate::config::recipe::{http_keys, ready_keys, rollout_keys};

ready_keys! { meant Ready from ReadySection #[derive(Debug, Clone)] {} }

http_keys! { meant HttpReady from HttpSection #[derive(Debug, Clone, PartialEq, Eq)] {} }

rollout_keys! { meant RolloutPolicy from RolloutSection #[derive(Debug, Clone, PartialEq, Eq)] {} }

/// One recipe of an environment, resolved for each of its hosts.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The recipe's file name without `.toml`.
    pub name: Name,
    /// One line for people.
    pub description: String,
    /// Whether it is changed only where it is named: a database, a cache.
    pub accessory: bool,
    /// Its hosts in the inventory's order. `--limit` does not shrink this list.
    pub hosts: Vec<HostName>,
    /// The recipes that must be up before this one.
    pub requires: Vec<Name>,
    /// What runs on each host.
    pub by_host: BTreeMap<HostName, HostRecipe>,
    /// How containers are replaced.
    pub rollout: RolloutPolicy,
    /// How traffic is taken away from a container before it is stopped.
    pub drain: Option<Drain>,
    /// Requests sent for the length of a rollout, to prove that none is lost.
    pub probe: Option<Probe>,
}

impl Recipe {
    /// Whether it has a container; one without is a list of commands (a task).
    pub fn has_container(&self) -> bool {
        self.by_host.values().any(|on| on.container.is_some())
    }
}

impl Recipe {
    /// Whether shipit itself registers this recipe's containers in Consul.
    pub fn registers(&self) -> bool {
        self.by_host.values().any(|on| on.register.is_some())
    }

    /// Whether Consul has this recipe's containers: shipit registers them, or their readiness or their drain goes
    /// through Consul.
    pub fn is_registered(&self) -> bool {
        let by_service = self
            .by_host
            .values()
            .any(|on| matches!(on.ready.consul, Some(ConsulReady::Service(_))));
        by_service
            || self.registers()
            || self
                .drain
                .as_ref()
                .is_some_and(|drain| drain.through_consul)
    }

    /// What its containers are on each host that has some.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerSpec> {
        self.by_host.values().filter_map(|on| on.container.as_ref())
    }

    /// How many containers of it are to run, on all hosts together.
    pub fn instances(&self) -> usize {
        let on = self.by_host.values().filter(|on| on.container.is_some());
        on.map(|on| usize::from(on.instances)).sum()
    }

    /// Whether Consul has this recipe's containers on a host: its agent there may be asked, with the token.
    pub fn is_registered_on(&self, host: &HostName) -> bool {
        self.by_host.contains_key(host) && self.is_registered()
    }

    /// Whether this recipe's containers are Consul's own servers.
    pub fn is_consul(&self) -> bool {
        self.by_host
            .values()
            .any(|on| on.ready.consul == Some(ConsulReady::Leader))
    }
}

impl Ready {
    /// The port that its checks name, if one does. Exhaustive, so that a kind of check that comes later is not
    /// forgotten here.
    pub fn port(&self) -> Option<u16> {
        let Self {
            http,
            tcp,
            grpc,
            consul: _,
            healthcheck: _,
            run: _,
        } = self;
        let http = http.as_ref().and_then(|http| http.port);
        http.or(*tcp).or(*grpc)
    }
}

impl HostRecipe {
    /// The service that Consul has of its containers, as far as the recipe names it.
    pub fn consul_service(&self) -> Option<&str> {
        let waited_for = match &self.ready.consul {
            Some(ConsulReady::Service(name)) => Some(name),
            _ => None,
        };
        let registered = self.register.as_ref().map(|service| &service.name);
        registered.or(waited_for).map(String::as_str)
    }

    /// What a host has of a recipe that no longer names it: its containers are only taken away.
    pub fn none() -> Self {
        Self {
            container: None,
            secrets: BTreeMap::new(),
            instances: 1,
            before: Vec::new(),
            after: Vec::new(),
            commands: Vec::new(),
            ready: Ready::default(),
            register: None,
            leave: None,
            balancer: None,
        }
    }
}

/// A recipe as resolved for one host.
#[derive(Debug, Clone)]
pub struct HostRecipe {
    /// The container; `None` for a task.
    pub container: Option<ContainerSpec>,
    /// Where the values of its secrets come from, by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// How many equal containers run on this host; at least 1.
    pub instances: u16,
    /// Runs before the container starts.
    pub before: Vec<Task>,
    /// Runs after the container has started and before it must be ready.
    pub after: Vec<Task>,
    /// What a recipe without a container runs.
    pub commands: Vec<Task>,
    /// When a new container counts as ready.
    pub ready: Ready,
    /// How shipit registers it in Consul once it is ready.
    pub register: Option<ConsulService>,
    /// How the app leaves by itself, for balancers that follow a health check of it.
    pub leave: Option<Leave>,
    /// How a load balancer tells what it routes to; `Some` only on a recipe with `[balancer]`.
    pub balancer: Option<BalancerView>,
}

/// One command or upload.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it is for, shown while it runs.
    pub name: String,
    /// What it does.
    pub action: TaskAction,
    /// Whether it runs on the recipe's first host only, once in a deploy.
    pub once: bool,
    /// Skipped when this command exits 0.
    pub unless: Option<Template>,
    /// The longest that one try may take.
    pub timeout: Duration,
    /// How many further tries a failure gets, one second apart.
    pub retry: u32,
}

/// What a [`Task`] does.
#[derive(Debug, Clone)]
pub enum TaskAction {
    /// A script for the host's `sh -c`.
    Run(Template),
    /// A program and its arguments, in a one-off container of the recipe's image.
    RunInNew(Vec<Template>),
    /// A file placed on the host.
    Upload {
        /// The file on the deployer's machine.
        from: PathBuf,
        /// Its absolute path on the host.
        to: String,
        /// Its permission bits.
        mode: u32,
        /// What goes into it, as read (and for `template = true` rendered) when the files were loaded.
        content: Vec<u8>,
    },
}

impl BalancerView {
    /// The recipes whose containers it is told of; `None` for one that learns of them by itself.
    pub fn recipes(&self) -> Option<&[Name]> {
        let listed = self.backends.as_ref().map(|file| &*file.recipes);
        listed.or_else(|| self.commands.as_ref().map(|commands| &*commands.recipes))
    }
}

/// How an app leaves by itself, so that balancers that follow a health check of it send it no further request.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Makes it leave.
    pub run: Template,
    /// Takes that back.
    pub undo: Option<Template>,
}

/// How a load balancer tells what it routes to, and how it learns of containers.
#[derive(Debug, Clone)]
pub struct BalancerView {
    /// A command whose output has every `ADDRESS:PORT` it routes to now; `None` where it cannot print that.
    pub upstreams: Option<Template>,
    /// A command that prints how many requests it has sent to each container, and how many were answered with 5xx.
    pub errors: Option<Template>,
    /// The list that is written for it; `None` where it learns of containers in another way.
    pub backends: Option<BackendsFile>,
    /// The commands that tell it of containers, for one with an API of its own.
    pub commands: Option<BackendCommands>,
    /// Whether it is a container, and not a program on the host.
    pub in_container: bool,
}

/// What Consul must say of a new container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsulReady {
    /// `"leader"`: the container is a Consul server, and its cluster has a leader and all its peers.
    Leader,
    /// The local agent has this very container, by address and port, under this service name, and
    /// reports all its checks passing.
    Service(String),
}

/// How a container is registered in the agent of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsulService {
    /// The service's name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The path that the agent asks for; without it the agent opens a TCP connection.
    pub check: Option<String>,
    /// The time between two checks, in whole seconds; at least 1.
    pub interval: Duration,
}

impl ConsulService {
    /// The label of a container by which a registration counts as part of it: another one is a change, which a deploy
    /// brings about as carefully as any. Nothing is read from it.
    pub const LABEL: &str = "shipit.consul";

    /// The label's value.
    pub fn label(&self) -> String {
        let Self {
            name,
            tags,
            check,
            interval,
        } = self;
        serde_json::json!({ "name": name, "tags": tags, "check": check, "interval": interval.as_secs() })
            .to_string()
    }
}

/// How traffic is taken away from a container before it is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    /// The recipes of the balancers that must have stopped routing to it.
    pub balancers: Vec<Name>,
    /// Whether it is taken out by Consul's maintenance mode: a balancer follows Consul, or there is none.
    pub through_consul: bool,
    /// Whether a balancer has to be told of a container that is ready; others learn of it by themselves.
    pub is_told: bool,
    /// A pause after that, for balancers whose old workers still finish.
    pub wait: Duration,
    /// The longest to wait for its connections to end; it is stopped after that all the same.
    pub timeout: Duration,
}

/// What an HTTP request says beside its address, and what its answer must say beside its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpDetails {
    /// The `Host` header, if not the address.
    pub host: Option<String>,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// The method, if not `GET`.
    pub method: Option<String>,
    /// What the answer's body must have in it.
    pub body: Option<String>,
    /// The file of the authorities that are trusted, if not those of this machine.
    pub ca_file: Option<PathBuf>,
    /// The name that the server's certificate must have, if not that of the host.
    pub server_name: Option<String>,
    /// Whether any certificate will do.
    pub insecure: bool,
}

impl HttpReady {
    /// What its request says beside its address.
    pub fn details(&self) -> HttpDetails {
        let Self {
            path: _,
            port: _,
            scheme: _,
            host,
            status: _,
            headers,
            method,
            body,
            ca_file,
            server_name,
            insecure,
        } = self.clone();
        HttpDetails {
            host,
            headers,
            method,
            body,
            ca_file,
            server_name,
            insecure,
        }
    }
}

/// A steady stream of requests for the length of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is requested, `http://…` or `https://…`.
    pub url: String,
    /// Requests a second.
    pub rate: u16,
    /// The status each must answer; any of 200 to 399 when absent.
    pub status: Option<u16>,
    /// What the requests say, and what their answers must say.
    pub details: HttpDetails,
    /// How many may fail before the rollout stops.
    pub budget: u64,
    /// How many of the answers of new containers may be 5xx, as balancers have counted them.
    pub max_error_rate: Option<Percentage>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// Send them through the SSH connection of this host instead of from the deployer.
    pub through: Option<HostName>,
}
