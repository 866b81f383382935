//! What a container is made from, fully resolved for one host.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Deref,
    path::PathBuf,
    time::Duration,
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    ImageSource, Name, Publish,
    keys::{meant, recorded},
};
use crate::config::{recipe::container_keys, values::LONGEST_DURATION};

/// The longest that counts of the time that a container has to stop, whoever says it: no longer than any in the files.
pub const LONGEST_STOP_TIMEOUT: Duration = LONGEST_DURATION;

container_keys! {
    meant ContainerSpec from ContainerSection
    ///
    /// This is resolved for one host. Its JSON form is what a release record keeps and what the spec's hash
    /// is made from.
    #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
    #[serde(default)]
    {
        /// A hash of what the recipe does around the container on its host (`before`, `after`, uploads), so
        /// that a change of it is a change of the container.
        setup: Option<String>,
    }
}

container_keys!(recorded ContainerSpec { setup, });

impl ContainerSpec {
    /// Whether a second container of this spec cannot start beside the first on one host, because both
    /// would want the same port: it publishes a fixed port.
    pub fn publishes_fixed_port(&self) -> bool {
        self.publish
            .iter()
            .any(|publish| publish.host_port.is_some())
    }

    /// Whether the old container must stop before a new one starts: it has a port of the host that only one can have.
    pub fn needs_port_alone(&self) -> bool {
        self.publishes_fixed_port() || self.uses_host_network()
    }

    /// Whether it shares the host's network, so that its ports are the host's own.
    pub fn uses_host_network(&self) -> bool {
        self.network.as_deref() == Some("host")
    }
}

/// The names of a container's secrets. Where their values come from is said by the files alone: a record, which
/// is read from a host, must not name a file, variable or command of the deployer's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SecretNames(BTreeSet<String>);

impl Deref for SecretNames {
    type Target = BTreeSet<String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromIterator<String> for SecretNames {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for SecretNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// Reads a list of names, and the names of a table: records of earlier versions had a source for each.
struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = SecretNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the names of secrets")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SecretNames, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = list.next_element()? {
            names.insert(name);
        }
        Ok(SecretNames(names))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<SecretNames, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, IgnoredAny)) = table.next_entry()? {
            names.insert(name);
        }
        Ok(SecretNames(names))
    }
}

/// Where a secret's value comes from, on the deployer's machine, at deploy time. Only the files say it, so it
/// cannot be read from anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of the deployer.
    Env(String),
    /// A file of the deployer, its trailing newline left off.
    File(PathBuf),
    /// What a local `sh -c` command prints, its trailing newline left off.
    Command(String),
    /// What is sealed in the project under this name, its trailing newline left off.
    Sealed(Name),
}
