//! An inventory file as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::{Spanned, de::DeValue};

use super::{
    section::{FromToml, Reader, section},
    values::{DurationValue, Entries, HostKeys, OneOrMany, Source, VarValue},
};
use crate::diagnostic::{Located, Problem};

section! {
    /// An environment: its hosts, how to reach them, and what runs there.
    "the inventory" Inventory {
        /// The environment that this one takes everything over from. Tables are merged key by key;
        /// `recipes` and `[hosts]` replace the other's as a whole. `default` is not taken over.
        extends: String,
        /// Whether this environment is meant when none is named on the command line.
        default: bool,
        /// The recipes that run here. Each comes after those it `requires`, else in this order.
        recipes: Vec<Located<String>>,
        /// The hosts by name, in the order in which they are shown and updated. A range stands for many:
        /// `"web-[01:50]" = { address = "10.0.0.[1:50]" }`.
        hosts: Hosts,
        /// Settings of the groups that the hosts name.
        groups: Entries<GroupSection>,
        /// How all hosts are reached; a host may say otherwise.
        ssh: SshSection,
        /// Plain values for the recipes' templates.
        vars: Entries<VarValue>,
        /// Where Consul's agent listens.
        consul: ConsulSection,
        /// Where images come from.
        images: ImagesSection,
        /// How many releases are kept.
        releases: ReleasesSection,
        /// Logins for private registries by server, for instance `"registry.example:5000"`.
        registries: Entries<RegistrySection>,
    }
}

/// The hosts by name.
#[derive(Debug, Clone)]
pub struct Hosts(pub Vec<(Located<String>, Located<HostSection>)>);

impl FromToml for Hosts {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            reader.wrong_type(value, "a table");
            return None;
        };
        let mut hosts = Vec::new();
        for (key, value) in table {
            let place = reader.place(key.span());
            let is_setting = ["extends", "default", "recipes"].contains(&&**key.get_ref());
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
    "the host" HostSection or address_alone {
        /// The host name or IP address that SSH connects to.
        address: String,
        /// The groups it is in.
        groups: Vec<Located<String>>,
        /// The remote user.
        user: String,
        /// The SSH port.
        port: u16,
        /// Private key file or files.
        identity_file: OneOrMany<String>,
        /// Whether docker and the recipes' commands run as root through `sudo -n`.
        r#become: bool,
        /// Jump hosts, first hop first: `[user@]host[:port]`, comma-separated.
        proxy_jump: String,
        /// Plain values for the recipes' templates on this host.
        vars: Entries<VarValue>,
    }
}

section! {
    /// A group of hosts.
    "the group" GroupSection {
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
        port: u16,
        /// Private key file or files, tried in order, before the agent's keys.
        identity_file: OneOrMany<String>,
        /// Whether docker and the recipes' commands run as root through `sudo -n`.
        r#become: bool,
        /// What to do with a host key that no `known_hosts` file has. Default: `strict`.
        host_keys: HostKeys,
        /// `known_hosts` file or files instead of OpenSSH's.
        known_hosts_file: OneOrMany<String>,
        /// Jump hosts, first hop first: `[user@]host[:port]`, comma-separated.
        proxy_jump: String,
        /// An OpenSSH client configuration instead of `~/.ssh/config`.
        config_file: String,
        /// The longest that reaching a host and logging in may take. Default: `10s`.
        connect_timeout: DurationValue,
    }
}

section! {
    /// Where Consul's agent listens.
    "`[consul]`" ConsulSection {
        /// `HOST:PORT` of its HTTP API as seen from each host itself. Default: `127.0.0.1:8500`.
        address: String,
    }
}

section! {
    /// Where images come from.
    "`[images]`" ImagesSection {
        /// The source for every container whose recipe does not say. Default: `registry`.
        source: Source,
    }
}

section! {
    /// How releases are kept.
    "`[releases]`" ReleasesSection {
        /// How many are kept for rollbacks; at least 1. Default: 10.
        keep: u32,
    }
}

section! {
    /// A login for a private registry.
    "the registry" RegistrySection {
        /// The user.
        username: String,
        /// Where the password comes from.
        password: SecretSection,
    }
}

section! {
    /// Where a secret's value comes from, on the deployer's machine, at deploy time. Exactly one of these.
    "the secret" SecretSection or value_itself {
        /// An environment variable.
        env: String,
        /// A file; its trailing newline is left off.
        file: String,
        /// What a `sh -c` command prints; its trailing newline is left off.
        command: String,
    }
}

fn address_alone(value: &DeValue<'_>) -> Option<String> {
    let address = value.as_str()?;
    Some(format!("write `{{ address = {address:?} }}`"))
}

fn value_itself(value: &DeValue<'_>) -> Option<String> {
    let forms = "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = \"…\" }`";
    (!value.is_array()).then(|| format!("say where it comes from: {forms}"))
}
