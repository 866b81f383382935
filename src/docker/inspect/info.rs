//! A daemon as `docker info` shows it.

use serde::Deserialize;

use super::null::null_is_default;
use crate::text::parse_json;

/// What `docker info` says of a daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// The daemon's version; empty when it did not answer.
    pub server_version: String,
    /// The host's name as docker has it.
    pub name: String,
    /// Where images and containers are kept.
    pub docker_root_dir: String,
    /// `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// Why the daemon could not be asked, where it could not.
    #[serde(deserialize_with = "null_is_default")]
    pub server_errors: Vec<String>,
}

/// Reads what `docker info --format '{{json .}}'` printed.
pub fn parse_info(json: &str) -> Result<Info, serde_json::Error> {
    parse_json(json)
}
