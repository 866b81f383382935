//! An environment: its hosts, how to reach them, and its recipes.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{
    HostAndPort, HostKeyPolicy, HostName, JumpHost, Name, Preview, PreviewName, PreviewSettings,
    Recipe, Scheme, SecretSource,
};
use crate::command::{quote, typed};
pub use crate::config::values::HookEvent;

/// One inventory file, validated, with the recipes it names.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The inventory's file name without `.toml`; for a preview the base's name and its own: `staging.pr-42`.
    pub name: Name,
    /// What it is a preview of, if it is one.
    pub preview: Option<Preview>,
    /// Whether there may be previews beside it, or of its base where it is one itself, and for how long.
    pub previews: Option<PreviewSettings>,
    /// The hosts in the order of the file; never empty, names and address-and-port pairs unique.
    pub hosts: Vec<Host>,
    /// The recipes, each after all that it `requires`; otherwise in the order of the inventory.
    pub recipes: Vec<Recipe>,
    /// The base's recipes that a preview has not of its own; empty where it is none.
    pub shared: Vec<Recipe>,
    /// How Consul's agent on each host is reached.
    pub consul: ConsulSettings,
    /// The ports of a host that containers get which publish `auto:PORT`.
    pub ports: RangeInclusive<u16>,
    /// How many releases are kept, the newest successful one always among them.
    pub keep_releases: usize,
    /// Where the key comes from that release records are signed with; `None` when they are not.
    pub state_key: Option<SecretSource>,
    /// Commands on the deployer's machine, in the order of the file.
    pub hooks: Vec<Hook>,
    /// Logins for private registries, by server.
    pub registries: Vec<RegistryLogin>,
}

impl Environment {
    /// The host of this name.
    pub fn host(&self, name: &HostName) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == *name)
    }

    /// The recipe of this name.
    pub fn recipe(&self, name: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|recipe| &*recipe.name == name)
    }

    /// Its recipes, and those of its base if it is a preview.
    pub fn with_shared(&self) -> impl Iterator<Item = &Recipe> {
        self.shared.iter().chain(&self.recipes)
    }

    /// The recipe of this name, which may be the base's if it is a preview.
    pub fn own_or_shared(&self, name: &str) -> Option<&Recipe> {
        self.with_shared().find(|recipe| &*recipe.name == name)
    }

    /// The environment whose containers a recipe's are: the base where a preview shares it.
    pub fn owner_of(&self, recipe: &str) -> &Name {
        match &self.preview {
            Some(preview) if self.recipe(recipe).is_none() => &preview.base,
            _ => &self.name,
        }
    }

    /// A preview of this environment as far as no template is concerned: for what only reads or removes. Without
    /// `[previews]` it has no recipe.
    #[must_use]
    pub fn preview_to_remove(&self, name: &PreviewName) -> Self {
        let base = self.name.clone();
        let settings = self.previews.clone();
        let own = settings.iter().flat_map(|settings| &settings.recipes);
        let own: Vec<_> = own.collect();
        let recipes = self.recipes.iter().cloned();
        let (recipes, shared) = recipes.partition(|recipe| own.contains(&&recipe.name));
        Self {
            name: name.environment_of(&base),
            preview: Some(Preview {
                base,
                name: name.clone(),
            }),
            recipes,
            shared,
            ..self.clone()
        }
    }

    /// Whether a recipe needs another, itself or through what it requires.
    pub fn requires(&self, recipe: &Recipe, other: &Name) -> bool {
        let mut required = recipe.requires.iter();
        required.any(|name| {
            let required = self.own_or_shared(name);
            name == other || required.is_some_and(|required| self.requires(required, other))
        })
    }

    /// The host that keeps copies of another's release records: the one after it in the inventory, whichever hosts
    /// a run reaches. `None` for a host that the inventory does not have.
    pub fn keeper_of(&self, host: &HostName) -> Option<&HostName> {
        let at = self.hosts.iter().position(|other| other.name == *host)?;
        Some(&self.hosts[(at + 1) % self.hosts.len()].name)
    }

    /// The host that holds the environment's lock: always the inventory's first, whatever `--limit`
    /// says, so that two deploys with different filters still exclude each other.
    pub fn lock_host(&self) -> &Host {
        &self.hosts[0]
    }
}

/// A command on the deployer's machine, when a release begins or ends.
#[derive(Debug, Clone)]
pub struct Hook {
    /// When it runs.
    pub on: Vec<HookEvent>,
    /// A script for `sh -c`.
    pub run: String,
    /// The longest that it may take.
    pub timeout: Duration,
}

/// A machine reached over SSH.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: HostName,
    /// The host name or IP address that SSH connects to, and under which its containers' published
    /// ports are reached.
    pub address: String,
    /// The groups it is in.
    pub groups: Vec<Name>,
    /// How to log in.
    pub ssh: SshSettings,
}

impl Host {
    /// How one would log in by hand: with what the inventory says, and by OpenSSH's configuration for the rest.
    pub fn ssh_command(&self) -> String {
        let SshSettings {
            user,
            port,
            proxy_jump,
            ..
        } = &self.ssh;
        let mut words = vec!["ssh".to_owned()];
        let jumps = proxy_jump.iter().map(|jumps| JumpHost::list(jumps));
        words.extend(jumps.map(|jumps| format!("-J {}", quote(&jumps))));
        words.extend(port.iter().map(|port| format!("-p {port}")));
        let at = user.iter().map(|user| format!("{user}@"));
        let whom: String = at.chain([self.address.clone()]).collect();
        typed(&words.join(" "), [whom])
    }
}

/// How to log in to a host. What is `None` or empty here comes from `~/.ssh/config`, then from
/// OpenSSH's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshSettings {
    /// The remote user.
    pub user: Option<String>,
    /// The TCP port.
    pub port: Option<u16>,
    /// Private key files, tried in order, before the agent's keys. `~` is expanded.
    pub identity_files: Vec<PathBuf>,
    /// Whether docker and the user's commands run as root through `sudo -n`.
    pub r#become: bool,
    /// What to do with a host key that no `known_hosts` file has.
    pub host_keys: Option<HostKeyPolicy>,
    /// `known_hosts` files that replace OpenSSH's defaults.
    pub known_hosts_files: Vec<PathBuf>,
    /// Jump hosts, first hop first; none at all where the list is empty.
    pub proxy_jump: Option<Vec<JumpHost>>,
    /// An OpenSSH client configuration instead of `~/.ssh/config`.
    pub config_file: Option<PathBuf>,
    /// The longest that reaching a host and logging in may take.
    pub connect_timeout: Option<Duration>,
}

/// How Consul's agent on a host is reached, from that host, and as whom it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsulSettings {
    /// `HOST:PORT` of the agent's HTTP API as seen from the host itself.
    pub address: HostAndPort,
    /// Whether it speaks TLS.
    pub scheme: Scheme,
    /// The file of the authorities that are trusted; `None` for those of this machine.
    pub ca_file: Option<PathBuf>,
    /// The name that its certificate must have; `None` for the host in `address`.
    pub server_name: Option<String>,
    /// Where the token comes from; `None` where Consul has no ACLs.
    pub token: Option<SecretSource>,
    /// The namespace of the services.
    pub namespace: Option<String>,
    /// The admin partition of the services.
    pub partition: Option<String>,
}

impl ConsulSettings {
    /// An agent at this address, without TLS and ACLs.
    pub fn at(address: HostAndPort) -> Self {
        Self {
            address,
            scheme: Scheme::Http,
            ca_file: None,
            server_name: None,
            token: None,
            namespace: None,
            partition: None,
        }
    }
}

/// A login for a private registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The server as image references begin with it, for instance `registry.example:5000`.
    pub server: String,
    /// The user.
    pub username: String,
    /// Where the password comes from.
    pub password: SecretSource,
}
