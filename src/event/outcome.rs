//! How a run ended, and the error that ended it.

use serde::Serialize;

/// How a run ended. Its exit code is part of the interface.
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
    /// It failed; every host was reverted.
    Reverted,
    /// The user stopped it.
    Interrupted,
    /// Nobody reads its output any more, and it had no other purpose.
    BrokenPipe,
    /// It was there for one command, as a console is, and that ended with this status.
    Exited(u8),
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
            // As of a program that SIGPIPE ended.
            Self::BrokenPipe => 141,
            Self::Exited(status) => status,
        }
    }
}

/// An error as it is shown: fact, causes, evidence; the table of hosts comes from
/// [`EventKind::HostState`](super::EventKind::HostState); then a hint.
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

impl ErrorReport {
    /// The fact and its causes in one line, for where the error is a part of something else.
    pub fn chain(&self) -> String {
        let facts = std::iter::once(&self.message).chain(&self.causes);
        facts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }
}

/// Lines that show why: a container's last log lines, a command's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// ``last lines of `web-r42` on `host-2` ``.
    pub title: String,
    /// The lines.
    pub lines: Vec<String>,
}
