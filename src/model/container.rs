//! What a container is made from, fully resolved for one host.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    ImageSource, Publish,
    keys::{meant, recorded},
};
use crate::config::recipe::container_keys;

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

    /// Whether it shares the host's network, so that its ports are the host's own.
    pub fn uses_host_network(&self) -> bool {
        self.network.as_deref() == Some("host")
    }
}

/// Where a secret's value comes from, on the deployer's machine, at deploy time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// An environment variable of the deployer.
    Env(String),
    /// A file of the deployer, its trailing newline left off.
    File(PathBuf),
    /// What a local `sh -c` command prints, its trailing newline left off.
    Command(String),
}
