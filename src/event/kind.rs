//! An event: one thing that happened, and when.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    look::{RecipeComparison, RecipeDetails, ReleaseRow},
    milliseconds::as_milliseconds,
    outcome::{ErrorReport, Outcome},
    preview::PreviewRow,
    probe::ProbeSummary,
    rows::{HostRow, PlanRow},
    status::{Status, StatusForm},
};

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. Hosts, recipes and containers appear under their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub enum EventKind {
    /// A command of shipit's began. Always the first event.
    Started {
        /// What was asked for, as typed: `deploy`, `rollback`, `run`, …
        command: String,
        /// The environment's name.
        environment: String,
        /// The hosts it may touch, in the inventory's order: one bar each.
        hosts: Vec<String>,
    },
    /// The run began its next phase.
    Phase {
        /// The phase.
        phase: Phase,
    },
    /// The release's number is known.
    Release {
        /// `r42`.
        release: String,
        /// `flask-nanoservice 1.2 → 1.3`, `r44 = r42 again`: one line on what it is, possibly empty.
        description: String,
    },
    /// How many steps a host has, so that a bar can show n of m.
    HostSteps {
        /// The host.
        host: String,
        /// How many [`EventKind::StepFinished`] will come for it from here on, as far as is known now. A
        /// later value replaces an earlier one; a run that fails sends fewer steps.
        total: u64,
        /// How much time will pass in all its [`EventKind::Countdown`]s.
        #[serde(serialize_with = "as_milliseconds", rename = "waiting_ms")]
        waiting: Duration,
    },
    /// How long the rest of the run should take, judged by earlier releases.
    Estimate {
        /// From now on.
        #[serde(serialize_with = "as_milliseconds", rename = "rest_ms")]
        rest: Duration,
    },
    /// What would be changed, or is about to be. Sent once, between the phases plan and pull.
    Plan {
        /// One row a container or task, recipe by recipe in the order of the deploy, hosts in the
        /// inventory's order.
        rows: Vec<PlanRow>,
    },
    /// A host began a step. At most one of each name and recipe is open on a host at any time.
    StepStarted {
        /// The host.
        host: String,
        /// The recipe it belongs to, if any.
        recipe: Option<String>,
        /// What it does, in the imperative: `start flask-nanoservice-r42`.
        step: String,
    },
    /// A step succeeded.
    StepFinished {
        /// The host.
        host: String,
        /// The recipe it belongs to, if any.
        recipe: Option<String>,
        /// The same text as when it started.
        step: String,
        /// How long it took.
        #[serde(serialize_with = "as_milliseconds", rename = "took_ms")]
        took: Duration,
        /// Its result, where there is something to say: `192.0.2.1:32768`.
        detail: Option<String>,
    },
    /// A step failed. Also sent when a finished step is undone, such as by a container that died after its
    /// host was updated; then no [`EventKind::StepStarted`] came before it.
    StepFailed {
        /// The host.
        host: String,
        /// The recipe it belongs to, if any.
        recipe: Option<String>,
        /// The same text as when it started.
        step: String,
        /// The fact, then its causes, outermost first.
        error: Vec<String>,
        /// Evidence: the container's last log lines, the output of the failing command.
        evidence: Vec<String>,
    },
    /// An open step waits for something and last saw something else. Sent when `last_seen` changes.
    Waiting {
        /// The host.
        host: String,
        /// The recipe it belongs to, if any.
        recipe: Option<String>,
        /// What it waits for: `Consul to report 192.0.2.1:32768 passing`.
        waits_for: String,
        /// What it last saw: `critical: connection refused`.
        last_seen: String,
    },
    /// From now on only time has to pass, with or without an open step. An [`EventKind::Waiting`] for the same
    /// breaks it off; it may begin anew then.
    Countdown {
        /// The host.
        host: String,
        /// The recipe it belongs to.
        recipe: Option<String>,
        /// What the time is for: `web-r42 to be ready`.
        waits_for: String,
        /// How long it lasts.
        #[serde(serialize_with = "as_milliseconds", rename = "lasts_ms")]
        lasts: Duration,
    },
    /// An open step sent bytes.
    Transfer {
        /// The host.
        host: String,
        /// What is being sent.
        what: String,
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, when known.
        total: Option<u64>,
    },
    /// An open step got layers of an image from a registry. Docker says nothing of their sizes.
    Pull {
        /// The host.
        host: String,
        /// What is being pulled.
        what: String,
        /// Layers that are there.
        layers: u64,
        /// Layers in all, as far as docker has named them.
        total: u64,
    },
    /// A command of the user's printed a line.
    Output {
        /// The host.
        host: String,
        /// The container that logged it, where it is of one.
        #[serde(skip_serializing_if = "Option::is_none")]
        container: Option<String>,
        /// Which of its streams.
        stream: OutputStream,
        /// The line without its newline.
        line: String,
    },
    /// A hook on the deployer's machine printed a line.
    HookOutput {
        /// What it runs on: `started`, `failed`, …
        on: String,
        /// The line without its newline.
        line: String,
    },
    /// A warning; it stops nothing.
    Warning {
        /// The host it concerns, if one.
        host: Option<String>,
        /// The fact.
        message: String,
        /// What to type, if anything.
        hint: Option<String>,
    },
    /// A line about the run as a whole, such as `nothing to do`.
    Note {
        /// The fact.
        message: String,
    },
    /// Lines that were asked for: the rows of `history`, the findings of `validate`.
    Result {
        /// The lines, without their newlines.
        lines: Vec<String>,
    },
    /// The releases that were asked for, newest first.
    History {
        /// The releases.
        releases: Vec<ReleaseRow>,
    },
    /// The previews that were asked for, the newest first.
    Previews {
        /// The previews.
        previews: Vec<PreviewRow>,
    },
    /// What the environment has now. Sent again with `--watch`.
    Status {
        /// It.
        #[serde(flatten)]
        status: Box<Status>,
        /// How it is shown to people.
        #[serde(skip)]
        form: StatusForm,
    },
    /// One release, with what it had on each host.
    ReleaseDetails {
        /// The release.
        release: Box<ReleaseRow>,
        /// Recipe by recipe; hosts that differ are apart.
        recipes: Vec<RecipeDetails>,
    },
    /// What is different between two releases, or between a release and now.
    Comparison {
        /// The release before.
        from: String,
        /// The release after; `null` for what runs now.
        to: Option<String>,
        /// Recipe by recipe; hosts that differ are apart.
        recipes: Vec<RecipeComparison>,
    },
    /// The user is asked something on the terminal. The reporter shows the question and keeps the
    /// terminal still until [`EventKind::Answered`]; who sent it reads the answer and prints nothing.
    Question {
        /// The question, without a line break at its end.
        question: String,
    },
    /// The question was answered or withdrawn.
    Answered,
    /// A rollout sent probe requests; sent about once a second.
    Probe {
        /// The recipe whose rollout it watches.
        recipe: String,
        /// The requests so far.
        summary: ProbeSummary,
    },
    /// What a host has now. Sent for every host at the end, also after a failure.
    HostState {
        /// The row of the final table.
        row: HostRow,
    },
    /// The run ended. Always the last event.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// How long the run took.
        #[serde(serialize_with = "as_milliseconds", rename = "took_ms")]
        took: Duration,
        /// The error that ended it, if one did.
        error: Option<ErrorReport>,
    },
}

/// The phases of a run, in the order in which they come; not every run has all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the word that is shown")]
pub enum Phase {
    Connect,
    Preflight,
    Setup,
    Lock,
    Observe,
    Plan,
    Pull,
    Deploy,
    Revert,
    Record,
    Prune,
}

/// A stream of a remote command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum OutputStream {
    Stdout,
    Stderr,
}
