//! An inventory file as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::{Spanned, de::DeValue};

use super::{
    from_toml::FromToml,
    key::Shape,
    reader::Reader,
    section::section,
    values::{
        CaFile, DurationValue, Entries, HookEvent, HostKeyPolicy, ImageSource, OneOrMany, Scheme,
        Text, VarValue,
    },
};
use crate::diagnostic::{Located, Problem};

section! {
    /// An environment: its hosts, how to reach them, and what runs there.
    "the inventory" Inventory {
        /// The environment that this one inherits from. Tables are merged key by key; `recipes`,
        /// `[hosts]` and `[[hooks]]` replace the base's as a whole. `default` is not inherited.
        extends: String,
        /// Whether this environment is meant when none is named on the command line.
        #[default(false)]
        default: bool,
        /// The recipes that run here, in order. A recipe always comes after those that it requires or drains
        /// through.
        recipes: Vec<Located<String>>,
        /// The hosts by name, in the order in which they are shown and updated. A range stands for many:
        /// `"web-[01:50]" = { address = "10.0.0.[1:50]" }`.
        #[needed = "needed"]
        hosts: Hosts,
        /// Settings of the groups that the hosts name.
        groups: Entries<GroupSection>,
        /// How all hosts are reached; a host may say otherwise.
        ssh: SshSection,
        /// Plain values for the recipes' templates.
        vars: Entries<VarValue>,
        /// Where Consul's agent listens, and as whom it is asked.
        consul: ConsulSection,
        /// Which ports of the hosts containers get that publish `auto:PORT`.
        ports: PortsSection,
        /// Where images come from, unless a recipe says otherwise.
        images: ImagesSection,
        /// How many releases are kept.
        releases: ReleasesSection,
        /// How release records on the hosts are kept from being forged.
        state: StateSection,
        /// Commands on the deployer's machine when a release begins and when it ends, with the release as JSON on their
        /// standard input.
        hooks: Vec<Located<HookSection>>,
        /// Previews beside this environment: `shipit deploy ENV --as pr-42`. Not inherited.
        previews: PreviewsSection,
        /// Logins for private registries by server, for instance `"registry.example:5000"`.
        registries: Entries<RegistrySection>,
    }
}

/// The hosts by name.
#[derive(Debug, Clone)]
pub struct Hosts(pub Vec<(Located<String>, Located<HostSection>)>);

impl FromToml for Hosts {
    const SHAPE: Shape = Shape::Table;

    fn kind() -> String {
        Entries::<HostSection>::kind()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            reader.wrong_type(value, "a table");
            return None;
        };
        let mut hosts = Vec::new();
        for (key, value) in table {
            let place = reader.place(key.span());
            let is_setting = ["extends", "default", "recipes", "hooks"].contains(&&**key.get_ref());
            if is_setting && !value.get_ref().is_table() {
                // TOML's tables reach to the next header, which surprises everyone once.
                reader.problems.push(
                    Problem::error(format!("`{}` stands below `[hosts]`", key.get_ref()))
                        .at(&place, "is read as a host")
                        .hint("move it above `[hosts]`, to the top of the file"),
                );
            } else if let Some(host) = HostSection::located(value, reader) {
                let value = key.get_ref().clone().into_owned();
                hosts.push((Located { value, place }, host));
            }
        }
        Some(Self(hosts))
    }
}

impl JsonSchema for Hosts {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Hosts".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Entries::<HostSection>::json_schema(generator)
    }
}

section! {
    /// A host.
    "the host" HostSection as "host", "hosts" or address_alone {
        /// The host name or IP address that SSH connects to.
        #[needed = "needed"]
        address: String,
        /// The groups it is in.
        groups: Vec<Located<String>>,
        /// The remote user.
        #[default = "`[ssh]`"]
        user: String,
        /// The SSH port.
        #[default = "`[ssh]`"]
        #[range(1..=65535, "port 0")]
        port: u16,
        /// Private key file or files.
        #[default = "`[ssh]`"]
        identity_file: OneOrMany<String>,
        /// Whether docker and the recipes' commands run as root through `sudo -n`.
        #[default = "`[ssh]`"]
        r#become: bool,
        /// Jump hosts, first hop first: `[user@]host[:port]`, comma-separated.
        #[default = "`[ssh]`"]
        proxy_jump: String,
        /// Plain values for the recipes' templates on this host.
        vars: Entries<VarValue>,
    }
}

section! {
    /// A group of hosts.
    "the group" GroupSection as "group", "groups" {
        /// Plain values for the recipes' templates on this group's hosts.
        vars: Entries<VarValue>,
    }
}

section! {
    /// How hosts are reached. What is not said comes from `~/.ssh/config`, then from OpenSSH's defaults.
    "`[ssh]`" SshSection {
        /// The remote user.
        user: String,
        /// The port.
        #[range(1..=65535, "port 0")]
        port: u16,
        /// Private key file or files, tried in order, before the agent's keys.
        identity_file: OneOrMany<String>,
        /// Whether docker and the recipes' commands run as root through `sudo -n`.
        #[default = "`false`"]
        r#become: bool,
        /// What to do with a host key that no `known_hosts` file has: refuse it, or add it. A changed key is
        /// always refused.
        #[default = "`strict`"]
        host_keys: HostKeyPolicy,
        /// `known_hosts` file or files instead of OpenSSH's.
        #[default = "OpenSSH's"]
        known_hosts_file: OneOrMany<String>,
        /// Jump hosts, first hop first: `[user@]host[:port]`, comma-separated.
        proxy_jump: String,
        /// An OpenSSH client configuration instead of `~/.ssh/config`.
        #[default = "`~/.ssh/config`"]
        config_file: String,
        /// The longest that reaching a host and logging in may take.
        #[default = "`10s`"]
        #[range(1.., "no time to connect")]
        connect_timeout: DurationValue,
    }
}

section! {
    /// Where Consul's agent listens, and as whom it is asked.
    "`[consul]`" ConsulSection {
        /// `HOST:PORT` of its HTTP API as seen from each host itself. With `scheme = "https"` the port is mostly 8501.
        #[default("127.0.0.1:8500".to_owned())]
        address: String,
        /// `https` for an agent that speaks TLS.
        #[default(Scheme::Http)]
        scheme: Scheme,
        /// A file (PEM) with the authorities that are trusted, instead of those of the deployer's machine.
        ca_file: CaFile,
        /// The name that the agent's certificate must have.
        #[default = "the host in `address`"]
        server_name: String,
        /// The token that requests are made with, where Consul has ACLs.
        token: SecretSection,
        /// The namespace of the services, in Consul Enterprise.
        #[default = "the token's own"]
        namespace: String,
        /// The admin partition of the services, in Consul Enterprise.
        #[default = "the agent's own"]
        partition: String,
    }
}

section! {
    /// Which ports of the hosts containers get that publish `auto:PORT`.
    "`[ports]`" PortsSection {
        /// The first and the last one. Outside of the range that the kernel gives to connections (on Linux 32768 to
        /// 60999).
        #[default("20000-29999".to_owned())]
        range: String,
    }
}

section! {
    /// Where images come from.
    "`[images]`" ImagesSection {
        /// The source for every container whose recipe does not say.
        #[default(ImageSource::Registry)]
        source: ImageSource,
    }
}

section! {
    /// How releases are kept.
    "`[releases]`" ReleasesSection {
        /// How many are kept for rollbacks.
        #[default(10)]
        #[range(1.., "no release would be kept", "a rollback needs 2: the release that runs and the one before")]
        keep: u32,
    }
}

section! {
    /// Previews: copies of some recipes beside the environment, on the same hosts. Each has containers, volumes,
    /// releases and a lock of its own.
    "`[previews]`" PreviewsSection {
        /// The recipes that each preview has of its own. What these require and drain through is the environment's, and
        /// no preview changes it.
        #[needed = "needed"]
        recipes: Vec<Located<String>>,
        /// How long a preview is kept after its last release. `shipit previews ENV --prune` removes those that are older.
        #[default(DurationValue::seconds(7 * 24 * 60 * 60))]
        #[range(1.., "no preview would be kept")]
        keep: DurationValue,
        /// How many previews are kept. `shipit previews ENV --prune` removes the oldest beyond that.
        #[default(20)]
        #[range(1.., "no preview would be kept")]
        limit: u32,
    }
}

section! {
    /// What outlives a run: the release records on the hosts.
    "`[state]`" StateSection {
        /// The key that records are signed with. With it, a record without its right signature does not count.
        /// `shipit state key` makes one.
        key: SecretSection,
    }
}

section! {
    /// A command on the deployer's machine.
    "the hook" HookSection as "hook", "hooks" {
        /// When it runs: any of `started`, `succeeded`, `failed`, `reverted`, `interrupted` and `locked`.
        #[needed = "needed"]
        on: Vec<Located<HookEvent>>,
        /// A script for this machine's `sh -c`, in the project's folder.
        #[needed = "needed"]
        run: Text,
        /// The longest that it may take; then it is killed, with all that it started.
        #[default(DurationValue::seconds(30))]
        #[range(1.., "no time to run")]
        timeout: DurationValue,
    }
}

section! {
    /// A login for a private registry.
    "the registry" RegistrySection as "login", "logins" {
        /// The user.
        #[needed = "needed"]
        username: String,
        /// Where the password comes from.
        #[needed = "needed"]
        password: SecretSection,
    }
}

section! {
    /// Where a secret's value comes from, on the deployer's machine, at deploy time. Exactly one of these.
    "the secret" SecretSection as "[secret](#secrets)", "[secrets](#secrets)" or value_itself {
        /// An environment variable.
        env: Text,
        /// A file; its trailing newline is left off.
        file: Text,
        /// What a `sh -c` command prints; its trailing newline is left off.
        command: Text,
        /// A value that is sealed in the project: the name of `secrets/NAME.age`.
        sealed: Text,
    }
}

fn address_alone(value: &DeValue<'_>) -> Option<String> {
    let address = value.as_str()?;
    Some(format!("write `{{ address = {address:?} }}`"))
}

fn value_itself(value: &DeValue<'_>) -> Option<String> {
    let forms = "`{ env = \"NAME\" }`, `{ file = \"path\" }`, `{ command = \"…\" }` or `{ sealed = \"name\" }`";
    (!value.is_array()).then(|| format!("say where it comes from: {forms}"))
}
