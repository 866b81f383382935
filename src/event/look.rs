//! What commands show that only look: rows of `history`, a release, what is different, what runs.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::rows::{Difference, Setting};

/// A release, as `history` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseRow {
    /// `r42`.
    pub release: String,
    /// `succeeded`, `failed`, `reverted`, `interrupted`, or `unfinished`: it runs, or was cut off.
    pub outcome: String,
    /// What was asked for: `deploy`, `rollback to r41`.
    pub action: String,
    /// What it changed, a recipe each: `flask-nanoservice v1 → v2`.
    pub changes: Vec<String>,
    /// What it is for, in the words of whoever made it.
    pub message: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Who made it, and from where.
    pub by: String,
    /// When it began.
    pub began: Timestamp,
    /// How long it took; `null` for one without an end.
    #[serde(serialize_with = "in_milliseconds", rename = "took_ms")]
    pub took: Option<Duration>,
    /// The git revision, with `+` where files were changed.
    pub revision: Option<String>,
    /// The hosts that have a record of it.
    pub hosts: Vec<String>,
}

/// What a release had of one recipe, on the hosts where that is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipeDetails {
    /// The recipe.
    pub recipe: String,
    /// The hosts.
    pub hosts: Vec<HostResult>,
    /// The image, as it was typed.
    pub image: String,
    /// How many equal containers on each host.
    pub instances: u16,
    /// What the container is made from, field by field; of secrets the names.
    pub settings: Vec<Setting>,
}

/// A host of a release, and what it had when the release ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostResult {
    /// The host.
    pub host: String,
    /// `serving`, `serving (reverted)`, `untouched`; `null` where the release changed nothing.
    pub state: Option<String>,
}

/// What is different of one recipe, on the hosts where that is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipeComparison {
    /// The recipe.
    pub recipe: String,
    /// The hosts.
    pub hosts: Vec<String>,
    /// What happened to it.
    pub change: Comparison,
    /// Field by field.
    pub differences: Vec<Difference>,
}

/// What is different of a recipe on a host between two points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// It is there only later.
    Added,
    /// It was there only before.
    Removed,
    /// It is made from something else.
    Changed,
    /// Nothing.
    Same,
    /// What runs now is in no record that is left.
    Unknown,
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn in_milliseconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let milliseconds = duration.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    milliseconds.serialize(serializer)
}
