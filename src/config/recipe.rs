//! A recipe file as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::{
    inventory::SecretSection,
    section::{FromToml, Reader, section},
    values::{
        CountValue, DurationValue, Entries, OneOrMany, Scalar, Source, UpdateOrder, VarValue,
    },
};
use crate::diagnostic::Located;

section! {
    /// One container and/or commands, where they run and how they roll out.
    "the recipe" Recipe {
        /// One line on what it is.
        description: String,
        /// Where it runs: a group, a host, `all`, or a list of those.
        hosts: OneOrMany<String>,
        /// The recipes that must be up before this one.
        requires: Vec<Located<String>>,
        /// Defaults for vars; the inventory, groups, hosts and `--set` go before.
        vars: Entries<VarValue>,
        /// The container. A recipe without one is a list of commands.
        container: ContainerSection,
        /// Commands before the container starts.
        before: Vec<Located<TaskSection>>,
        /// Commands after the container has started and before it must be ready.
        after: Vec<Located<TaskSection>>,
        /// The commands of a recipe without a container.
        commands: Vec<Located<TaskSection>>,
        /// When a new container counts as ready.
        ready: ReadySection,
        /// How containers are replaced.
        rollout: RolloutSection,
        /// How traffic is taken away from a container before it is stopped.
        drain: DrainSection,
        /// Says that this recipe's container is a load balancer.
        balancer: BalancerSection,
        /// Requests sent during a rollout, to prove that none is lost.
        probe: ProbeSection,
    }
}

section! {
    /// What `docker run` is told.
    "`[container]`" ContainerSection {
        /// The image.
        image: String,
        /// Where the image comes from. Default: the inventory's `[images] source`.
        source: Source,
        /// Words after the image.
        command: Vec<Located<String>>,
        /// `--entrypoint`.
        entrypoint: String,
        /// Environment variables.
        env: Entries<Scalar>,
        /// Environment variables whose values come from elsewhere at deploy time and are kept nowhere.
        secrets: Entries<SecretSection>,
        /// Published ports: `[IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`.
        publish: Vec<Located<Scalar>>,
        /// Publish every exposed port at any free host port. Default: false.
        publish_all: bool,
        /// `--volume` values.
        volumes: Vec<Located<String>>,
        /// `--network`.
        network: String,
        /// `--restart`.
        restart: String,
        /// `--user`.
        user: String,
        /// `--hostname`.
        hostname: String,
        /// `--workdir`.
        workdir: String,
        /// Labels.
        labels: Entries<Scalar>,
        /// Further words for `docker run`, each taken literally.
        options: Vec<Located<String>>,
        /// How long `docker stop` waits before it kills. Default: `30s`.
        stop_timeout: DurationValue,
        /// How many equal containers run on each host. Default: 1.
        instances: u16,
    }
}

section! {
    /// A command or an upload: one of `run` and `upload`.
    "the command" TaskSection {
        /// What it is for, shown while it runs.
        name: String,
        /// A script for the host's `sh -c`.
        run: String,
        /// A file to place on the host.
        upload: UploadSection,
        /// Run it on the recipe's first host only, once in a deploy. Default: false.
        once: bool,
        /// Skip it when this command exits 0.
        unless: String,
        /// The longest that one try may take. Default: `5m`.
        timeout: DurationValue,
        /// How many further tries a failure gets, one second apart. Default: 0.
        retry: u32,
    }
}

section! {
    /// A file to place on the host.
    "`upload`" UploadSection {
        /// The file, from the project's root.
        from: String,
        /// Its absolute path on the host.
        to: String,
        /// Its permission bits in octal. Default: `0644`.
        mode: String,
        /// Whether the file is a template itself. Default: false.
        template: bool,
    }
}

section! {
    /// When a new container counts as ready. All that is set must hold; with nothing set, running does.
    "`[ready]`" ReadySection {
        /// An HTTP GET on the published port: a path, or a table.
        http: HttpCheck,
        /// A container port (with `network = "host"` the host's) that accepts TCP connections.
        tcp: u16,
        /// A service that Consul's agent must report passing for this very container, or `leader`: the
        /// container is a Consul server, and its cluster has a leader and all its peers.
        consul: String,
        /// Whether docker's own healthcheck must say `healthy`. Default: false.
        healthcheck: bool,
        /// A command on the host that must exit 0.
        run: String,
    }
}

section! {
    /// An HTTP check.
    "`http`" HttpSection {
        /// The path.
        path: String,
        /// The container's port; needed only when it publishes several.
        port: u16,
        /// The status it must answer. Default: any from 200 to 399.
        status: u16,
    }
}

/// An HTTP check: its path alone, or a table.
#[derive(Debug, Clone)]
pub struct HttpCheck(pub HttpSection);

impl FromToml for HttpCheck {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => Some(Self(HttpSection {
                path: String::located(value, reader),
                ..HttpSection::default()
            })),
            DeValue::Table(_) => HttpSection::from_toml(value, reader).map(Self),
            _ => {
                reader.wrong_type(value, "a path or a table");
                None
            }
        }
    }
}

impl JsonSchema for HttpCheck {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "HttpCheck".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<HttpSection>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

section! {
    /// How containers are replaced. The names and meanings are Nomad's; `order` is Docker Swarm's.
    "`[rollout]`" RolloutSection {
        /// Which container comes first. Default: `stop-first` where a fixed port is published or the
        /// host's network is used, else `start-first`.
        order: UpdateOrder,
        /// How many containers are replaced at a time. Default: 1.
        max_parallel: CountValue,
        /// How many containers are replaced first, on their own. Default: 0.
        canary: u16,
        /// Whether the others follow healthy canaries without a question. Default: true.
        auto_promote: bool,
        /// How long a container must be ready without a break. Default: `2s`.
        min_healthy_time: DurationValue,
        /// The longest that one container may take to become healthy. Default: `60s`.
        healthy_deadline: DurationValue,
        /// The longest that a rollout may go on without one more healthy container. Default: `10m`.
        progress_deadline: DurationValue,
        /// Whether a failure returns every host that the deploy has changed. Default: true.
        auto_revert: bool,
        /// How many containers of the whole rollout may fail before it stops. Default: 0.
        max_failures: u16,
    }
}

section! {
    /// How traffic is taken away from a container before it is stopped.
    "`[drain]`" DrainSection {
        /// The recipes of the balancers that must have stopped routing to it.
        balancers: Vec<Located<String>>,
        /// A pause after that. Default: `1s`.
        wait: DurationValue,
        /// The longest to wait for its connections to end. Default: `30s`.
        timeout: DurationValue,
    }
}

section! {
    /// How a load balancer tells what it routes to.
    "`[balancer]`" BalancerSection {
        /// A command whose output has every `ADDRESS:PORT` it routes to now.
        upstreams: String,
    }
}

section! {
    /// A steady stream of GET requests for the length of a rollout.
    "`[probe]`" ProbeSection {
        /// The URL, `http://…`.
        url: String,
        /// Requests a second. Default: 20.
        rate: u16,
        /// The status each must answer. Default: any from 200 to 399.
        status: u16,
        /// How many may fail before the rollout stops. Default: 0.
        budget: u64,
        /// The longest that one request may take. Default: `5s`.
        timeout: DurationValue,
        /// Send them through the SSH connection of this host instead of from the deployer.
        through: String,
    }
}
