//! The early end of a run: why, and what to show.

use crate::{
    event::{ErrorReport, Evidence, HostRow, Outcome, Severity},
    model::HostName,
    text,
};

use super::error::HostError;

/// The end of a run that did not do what was asked for.
#[derive(Debug)]
pub struct Stop {
    /// Decides the exit code.
    pub outcome: Outcome,
    /// The error to show.
    pub report: ErrorReport,
    /// The state of each host, where that is worth a table.
    pub rows: Vec<HostRow>,
}

/// The result of any part of a run.
pub type Run<T> = Result<T, Box<Stop>>;

impl Stop {
    /// An end for this reason.
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

    /// An end before anything was changed ([`Outcome::NotReady`]).
    pub fn not_ready(message: impl Into<String>) -> Box<Self> {
        Self::new(Outcome::NotReady, message)
    }

    /// A failure on one host, with its chain of causes.
    pub fn on_host(
        outcome: Outcome,
        message: impl Into<String>,
        host: &HostName,
        error: &HostError,
    ) -> Box<Self> {
        let mut stop = Self::new(outcome, message);
        stop.report.causes = text::chain(error);
        stop.report.hint = error.hint();
        stop.add_output(host, error);
        stop
    }

    /// Failures on several hosts: one cause for each, and what their commands printed.
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
            stop.report.hint = stop.report.hint.take().or_else(|| error.hint());
        }
        stop
    }

    fn add_output(&mut self, host: &HostName, error: &HostError) {
        if error.output().len() > 1 {
            let title = format!("output on `{host}`");
            self.report.evidence.push(Evidence {
                title,
                lines: error.output().to_vec(),
            });
        }
    }

    /// Adds what to type.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.report.hint = Some(hint.into());
        self
    }

    /// Adds a cause.
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
