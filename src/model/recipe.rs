//! A recipe: one container and/or commands, where they run, and how they roll out.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{ContainerSpec, HostName, Name, Template};

/// One recipe of an environment, resolved for each of its hosts.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The recipe's file name without `.toml`.
    pub name: Name,
    /// One line for people.
    pub description: String,
    /// Its hosts in the inventory's order. `--limit` does not shrink this list.
    pub hosts: Vec<HostName>,
    /// The recipes that must be up before this one.
    pub requires: Vec<Name>,
    /// What runs on each host.
    pub on: BTreeMap<HostName, HostRecipe>,
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
        self.on.values().any(|on| on.container.is_some())
    }
}

impl Recipe {
    /// Whether Consul has this recipe's containers: its readiness or its drain goes through Consul.
    pub fn is_registered(&self) -> bool {
        let by_service = self
            .on
            .values()
            .any(|on| matches!(on.ready.consul, Some(ConsulReady::Service(_))));
        by_service || self.drain.is_some()
    }

    /// Whether this recipe's containers are Consul's own servers.
    pub fn is_consul(&self) -> bool {
        self.on
            .values()
            .any(|on| on.ready.consul == Some(ConsulReady::Leader))
    }
}

impl HostRecipe {
    /// What a host has of a recipe that no longer names it: its containers are only taken away.
    pub fn none() -> Self {
        Self {
            container: None,
            instances: 1,
            before: Vec::new(),
            after: Vec::new(),
            commands: Vec::new(),
            ready: Ready::default(),
            balancer: None,
        }
    }
}

/// A recipe as resolved for one host.
#[derive(Debug, Clone)]
pub struct HostRecipe {
    /// The container; `None` for a task.
    pub container: Option<ContainerSpec>,
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

/// How a load balancer tells what it routes to.
#[derive(Debug, Clone)]
pub struct BalancerView {
    /// A command whose output has every `ADDRESS:PORT` it routes to now.
    pub upstreams: Template,
}

/// When a new container counts as ready. All that is set must hold; with nothing set, running does.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    /// An HTTP GET on the container's published port.
    pub http: Option<HttpReady>,
    /// A container port (or the host's, with `network = "host"`) that accepts TCP connections.
    pub tcp: Option<u16>,
    /// What Consul must say.
    pub consul: Option<ConsulReady>,
    /// Whether docker's own healthcheck must say `healthy`.
    pub healthcheck: bool,
    /// A command on the host that must exit 0.
    pub run: Option<Template>,
}

/// An HTTP check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReady {
    /// The path, beginning with `/`.
    pub path: String,
    /// The container's port; needed only when it publishes several.
    pub port: Option<u16>,
    /// The status it must answer; any of 200 to 399 when absent.
    pub status: Option<u16>,
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

/// How containers are replaced. The names and meanings are Nomad's (`update` stanza); `order` is Swarm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutPolicy {
    /// Whether the new container starts before the old one stops; `None` chooses by the container:
    /// stop-first where it publishes a fixed port or uses the host's network, else start-first.
    pub order: Option<Order>,
    /// How many containers are replaced at a time.
    pub max_parallel: Count,
    /// How many containers are replaced first, on their own; 0 for none.
    pub canary: u16,
    /// Whether the others follow healthy canaries without a question.
    pub auto_promote: bool,
    /// How long a container must be ready without a break before it counts as healthy.
    pub min_healthy_time: Duration,
    /// The longest that one container may take to become healthy.
    pub healthy_deadline: Duration,
    /// The longest that the rollout may go on without one more healthy container.
    pub progress_deadline: Duration,
    /// Whether a failure returns every host that the deploy has changed.
    pub auto_revert: bool,
    /// How many containers of the whole rollout may fail before it stops.
    pub max_failures: u16,
}

impl Default for RolloutPolicy {
    fn default() -> Self {
        Self {
            order: None,
            max_parallel: Count::Number(1),
            canary: 0,
            auto_promote: true,
            min_healthy_time: Duration::from_secs(2),
            healthy_deadline: Duration::from_secs(60),
            progress_deadline: Duration::from_secs(600),
            auto_revert: true,
            max_failures: 0,
        }
    }
}

/// A number of containers, or a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many; at least 1.
    Number(u16),
    /// So many percent, 1 to 100.
    Percent(u8),
}

impl Count {
    /// How many of `total`. A percentage rounds down, as Kubernetes' `maxUnavailable` does, and is at
    /// least one, as a rollout of none would never end.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Number(number) => usize::from(number).max(1),
            Self::Percent(percent) => (total * usize::from(percent) / 100).max(1),
        }
    }
}

/// The order of an update, in Docker Swarm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The new container serves before the old one goes.
    StartFirst,
    /// The old container goes before the new one starts.
    StopFirst,
}

/// How traffic is taken away from a container before it is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    /// The recipes of the balancers that must have stopped routing to it.
    pub balancers: Vec<Name>,
    /// A pause after that, for balancers whose old workers still finish.
    pub wait: Duration,
    /// The longest to wait for its connections to end; it is stopped after that all the same.
    pub timeout: Duration,
}

/// A steady stream of requests for the length of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is requested with GET, `http://…`.
    pub url: String,
    /// Requests a second.
    pub rate: u16,
    /// The status each must answer; any of 200 to 399 when absent.
    pub status: Option<u16>,
    /// How many may fail before the rollout stops.
    pub budget: u64,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// Send them through the SSH connection of this host instead of from the deployer.
    pub through: Option<HostName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_rounds_down_and_is_never_none() {
        let of = |percent, total| Count::Percent(percent).of(total);
        assert_eq!([of(25, 10), of(25, 3), of(100, 7), of(1, 0)], [2, 1, 7, 1]);
        assert_eq!(Count::Number(3).of(2), 3);
    }
}
