//! The rows of tables: what a plan changes, and what each host has at the end.

use serde::Serialize;

/// A row of the plan: what happens to one container, or that one task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanRow {
    /// The host.
    pub host: String,
    /// The recipe.
    pub recipe: String,
    /// What happens.
    pub action: PlanAction,
    /// The container it happens to; `None` for a task.
    pub container: Option<String>,
    /// Why: `the image has changed`; empty where the action says it all.
    pub reason: String,
    /// What differs between what runs now and what is wanted.
    pub differences: Vec<Difference>,
    /// What is started, field by field, where that comes from records rather than from files that one can read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts: Vec<Setting>,
    /// How a file changes, line by line: `- old`, `+ new`, and two spaces before what stays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<String>,
    /// Something to know beforehand, such as that requests will be lost.
    pub note: Option<String>,
}

/// What happens to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanAction {
    /// Another container takes its place.
    Replace,
    /// There was none.
    Create,
    /// It is there as wanted, but stopped.
    Start,
    /// It runs as wanted, and a release that was cut off has not seen that it serves.
    Confirm,
    /// It is there and no longer wanted.
    Remove,
    /// It is stopped, to be started another day.
    Stop,
    /// A file is written.
    Write,
    /// A task runs.
    Run,
    /// Nothing: it is as wanted.
    Keep,
}

/// A field of a container that is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The field, under the name it has in the recipe.
    pub field: String,
    /// Its value; of variables and secrets the names.
    pub value: String,
}

/// A field of a container whose value changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field, under the name it has in the recipe: `image`, `env.VERSION`.
    pub field: String,
    /// What it is now; `None` when it is not set.
    pub old: Option<String>,
    /// What it becomes; `None` when it is no longer set.
    pub new: Option<String>,
}

/// A row of the table at the end of a run: what a host has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostRow {
    /// The host.
    pub host: String,
    /// The recipe, if the row is about one.
    pub recipe: Option<String>,
    /// The release whose container serves now, `r41`, if any.
    pub release: Option<String>,
    /// `serving`, `serving (reverted)`, `not started`, `unreachable`, `needs a hand`, …
    pub state: String,
    /// What else to know: an address, what to type.
    pub detail: Option<String>,
    /// How bad it is, for colours.
    pub severity: Severity,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Good,
    Notable,
    Bad,
}
