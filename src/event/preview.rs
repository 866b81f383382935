//! What is shown of previews.

use jiff::Timestamp;
use serde::Serialize;

use super::{look::ReleaseRow, rows::Severity};

/// A preview of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewRow {
    /// Its name: `pr-42`.
    pub preview: String,
    /// The name of its environment, which every command takes: `staging.pr-42`.
    pub environment: String,
    /// What it runs, recipe by recipe.
    pub versions: Vec<VersionRow>,
    /// Its newest release, however that ended; `null` where no record of one is left.
    pub release: Option<ReleaseRow>,
    /// When that ended, or began.
    pub since: Option<Timestamp>,
    /// How many of its containers run.
    pub running: usize,
    /// How many should.
    pub wanted: usize,
    /// Why `shipit previews ENV --prune` removes it; `null` where it stays.
    pub prune: Option<String>,
    /// How bad it is, for colours.
    pub severity: Severity,
}

/// What runs of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VersionRow {
    /// The recipe.
    pub recipe: String,
    /// The version, as it was typed: the image's tag, or the beginning of its digest.
    pub version: String,
}
