//! Everything that happens, as values. All output (bars, lines, JSON, the log of a release) is made from
//! these and from nothing else, so a list of events is a whole run.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

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
    /// The run as a whole came to its next phase.
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
    /// What a host has before it, so that a bar can show n of m.
    HostSteps {
        /// The host.
        host: String,
        /// How many [`EventKind::StepFinished`] will come for it from here on, as far as is known now. A
        /// later value replaces an earlier one; a run that fails sends fewer steps.
        total: u64,
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
    /// A step ended well.
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
        /// What came of it, when that is worth a word: `192.168.50.101:32768`.
        detail: Option<String>,
    },
    /// A step ended badly. Also when something that was done no longer is so: a container that died after
    /// its host was updated. Then no [`EventKind::StepStarted`] came before it.
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
        /// What it waits for: `Consul to report 192.168.50.101:32768 passing`.
        waits_for: String,
        /// What it last saw: `critical: connection refused`.
        last_seen: String,
    },
    /// Bytes of an open step went over the wire.
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
    /// A command of the user's printed a line.
    Output {
        /// The host.
        host: String,
        /// Which of its streams.
        stream: OutputStream,
        /// The line without its newline.
        line: String,
    },
    /// Something to know that stops nothing.
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
    /// Lines that were asked for and are no progress: the rows of `history`, what `validate` found.
    Result {
        /// The lines, without their newlines.
        lines: Vec<String>,
    },
    /// The user is asked something on the terminal. The reporter shows the question and keeps the
    /// terminal still until [`EventKind::Answered`]; who sent it reads the answer and prints nothing.
    Question {
        /// The question, without a line break at its end.
        question: String,
    },
    /// The question is answered, or is no longer one.
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
    /// Something to know beforehand, such as that requests will be lost.
    pub note: Option<String>,
}

/// What happens to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanAction {
    /// Another one takes its place.
    Replace,
    /// There was none.
    Create,
    /// It is there as wanted, but stopped.
    Start,
    /// It is there and no longer wanted.
    Remove,
    /// A task runs.
    Run,
    /// Nothing: it is as wanted.
    Keep,
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

/// The phases of a run, in the order in which they come; not every run has all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the word that is shown")]
pub enum Phase {
    Connect,
    Preflight,
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

/// What became of the requests that were sent during a rollout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProbeSummary {
    /// How many were sent and answered or failed.
    pub requests: u64,
    /// How many failed: no answer, or a wrong status.
    pub failed: u64,
    /// The slowest one.
    #[serde(serialize_with = "as_milliseconds", rename = "slowest_ms")]
    pub slowest: Duration,
    /// The 99th percentile.
    #[serde(serialize_with = "as_milliseconds", rename = "p99_ms")]
    pub p99: Duration,
    /// Why the first that failed did.
    pub first_failure: Option<String>,
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

/// How a run ended. Its exit code is part of the interface (DESIGN: 0, 1, 2, 3, 4, 5, 130).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was changed and it worked.
    Done,
    /// There was nothing to do.
    NothingToDo,
    /// It failed, and what it changed stays changed.
    Failed,
    /// The command line or the files are wrong; nothing was contacted.
    Usage,
    /// A host could not be reached or failed its preflight; nothing was changed.
    NotReady,
    /// Someone else holds the lock; nothing was changed.
    Locked,
    /// It failed, and every host was returned to what it had.
    Reverted,
    /// The user stopped it.
    Interrupted,
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done | Self::NothingToDo => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotReady => 3,
            Self::Locked => 4,
            Self::Reverted => 5,
            Self::Interrupted => 130,
        }
    }
}

/// An error as it is shown: fact, causes, evidence; the table of hosts comes from
/// [`EventKind::HostState`]; then a hint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The fact, lowercase, without a full stop.
    pub message: String,
    /// Its causes, outermost first.
    pub causes: Vec<String>,
    /// Blocks of evidence: a title and lines.
    pub evidence: Vec<Evidence>,
    /// What to type next; may hold several lines.
    pub hint: Option<String>,
}

/// Lines that show why: a container's last log lines, a command's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// ``last lines of `web-r42` on `host-2` ``.
    pub title: String,
    /// The lines.
    pub lines: Vec<String>,
}

fn as_milliseconds<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Where events go. Cheap to clone; sending never blocks and never fails.
#[derive(Debug, Clone)]
pub struct Events {
    sender: tokio::sync::mpsc::UnboundedSender<Event>,
}

impl Events {
    /// A new stream of events: where to send them and where they arrive, in order.
    pub fn channel() -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Self { sender }, receiver)
    }

    /// Sends one event, stamped with the time of now.
    pub fn send(&self, kind: EventKind) {
        // A reporter that is gone (a closed pipe) must not stop a deploy.
        let _ = self.sender.send(Event {
            at: Timestamp::now(),
            kind,
        });
    }
}
