//! What a container is made from, fully resolved for one host.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    ImageSource,
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

/// A published port, as in `--publish [IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Publish {
    /// The host address it binds to; all of them when absent.
    pub ip: Option<String>,
    /// The port on the host; any free one when absent.
    pub host_port: Option<u16>,
    /// The port in the container.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl std::fmt::Display for Publish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(ip) = &self.ip {
            write!(f, "{ip}:")?;
        }
        match self.host_port {
            Some(port) => write!(f, "{port}:")?,
            None if self.ip.is_some() => f.write_str(":")?,
            None => {}
        }
        write!(f, "{}", self.container_port)?;
        if self.protocol == "tcp" {
            Ok(())
        } else {
            write!(f, "/{}", self.protocol)
        }
    }
}

impl From<Publish> for String {
    fn from(publish: Publish) -> Self {
        publish.to_string()
    }
}

impl TryFrom<String> for Publish {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Publish {
    type Err = String;

    /// Reads docker's notation. Port ranges are refused: write one entry for each port.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a published port: `[IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`"
            )
        };
        let port = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(wrong)
        };
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if !["tcp", "udp", "sctp"].contains(&protocol) {
            return Err(wrong());
        }
        let (before, container_port) = match ports.rsplit_once(':') {
            Some((before, container)) => (Some(before), port(container)?),
            None => (None, port(ports)?),
        };
        let (ip, host_port) = match before {
            None => (None, None),
            // An IPv6 address has colons of its own, so docker wants it in brackets.
            Some(before) => match before.rsplit_once(':') {
                Some((ip, "")) => (Some(ip.to_owned()), None),
                Some((ip, host_port)) => (Some(ip.to_owned()), Some(port(host_port)?)),
                None => (None, Some(port(before)?)),
            },
        };
        Ok(Self {
            ip,
            host_port,
            container_port,
            protocol: protocol.to_owned(),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ports_read_and_print_as_docker_writes_them() {
        for text in [
            "80:80",
            "80",
            "127.0.0.1:8080:80",
            "53:53/udp",
            "127.0.0.1::80",
            "[::1]:80:80",
        ] {
            assert_eq!(
                text.parse::<Publish>().map(|publish| publish.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "",
            "a",
            "80:",
            ":80",
            "0",
            "70000",
            "80:80/icmp",
            "80-90:80-90",
            "1:2:3:",
        ] {
            assert!(text.parse::<Publish>().is_err(), "{text:?}");
        }
    }
}
