//! Why a run ends before it is done, and everything to be shown of it.

use crate::{
    event::{ErrorReport, Evidence, HostRow, Outcome, Severity},
    model::HostName,
    text,
};

use super::error::HostError;

/// The end of a run that did not come to a good one.
#[derive(Debug)]
pub struct Stop {
    /// How it ended; decides the exit code.
    pub outcome: Outcome,
    /// What to show.
    pub report: ErrorReport,
    /// What each host has, where that is worth saying.
    pub rows: Vec<HostRow>,
}

/// What anything of a run returns.
pub type Run<T> = Result<T, Box<Stop>>;

impl Stop {
    /// An end with a fact.
    pub fn new(outcome: Outcome, message: impl Into<String>) -> Box<Self> {
        let report = ErrorReport {
            message: message.into(),
            ..ErrorReport::default()
        };
        Box::new(Self {
            outcome,
            report,
            rows: Vec::new(),
        })
    }

    /// Nothing was changed, as something is not as it must be.
    pub fn not_ready(message: impl Into<String>) -> Box<Self> {
        Self::new(Outcome::NotReady, message)
    }

    /// Something failed on one host.
    pub fn on_host(
        outcome: Outcome,
        message: impl Into<String>,
        host: &HostName,
        error: &HostError,
    ) -> Box<Self> {
        let mut stop = Self::new(outcome, message);
        stop.report.causes = text::chain(error);
        stop.add_output(host, error);
        stop
    }

    /// Something failed on several hosts at once: one cause and one row each.
    pub fn on_hosts(
        outcome: Outcome,
        message: impl Into<String>,
        failures: &[(HostName, HostError)],
    ) -> Box<Self> {
        let mut stop = Self::new(outcome, message);
        for (host, error) in failures {
            stop.report
                .causes
                .push(format!("`{host}`: {}", text::chain(error).join(": ")));
            stop.add_output(host, error);
        }
        stop
    }

    fn add_output(&mut self, host: &HostName, error: &HostError) {
        if error.output().len() > 1 {
            let title = format!("what it printed on `{host}`");
            self.report.evidence.push(Evidence {
                title,
                lines: error.output().to_vec(),
            });
        }
    }

    /// The same with what to type.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.report.hint = Some(hint.into());
        self
    }

    /// The same with a cause.
    #[must_use]
    pub fn cause(mut self: Box<Self>, cause: impl Into<String>) -> Box<Self> {
        self.report.causes.push(cause.into());
        self
    }
}

/// A row of the table at the end.
pub fn row(host: &HostName, state: impl Into<String>, severity: Severity) -> HostRow {
    HostRow {
        host: host.to_string(),
        recipe: None,
        release: None,
        state: state.into(),
        detail: None,
        severity,
    }
}
