//! Volumes as `docker volume inspect` shows them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::null::null_is_default;
use crate::text::parse_json;

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default, deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
}

/// Reads what `docker volume inspect` printed.
pub fn parse_volumes(json: &str) -> Result<Vec<Volume>, serde_json::Error> {
    parse_json(json)
}
