//! What becomes of a run whose standard output takes nothing more.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    event::{ErrorReport, Outcome},
    run::Interrupts,
};

/// Standard output, as far as a run depends on it. Clones share what is known.
#[derive(Clone)]
pub struct StandardOutput {
    /// Whether the run has no purpose without it.
    is_purpose: bool,
    error: Arc<OnceLock<io::Error>>,
    is_over: Arc<AtomicBool>,
}

impl StandardOutput {
    /// Standard output of a run that begins.
    pub fn new(is_purpose: bool) -> Self {
        Self {
            is_purpose,
            error: Arc::default(),
            is_over: Arc::default(),
        }
    }

    /// Keeps an error of writing. A run that has no purpose any more is interrupted.
    pub fn fail(&self, error: io::Error, interrupts: &Interrupts) {
        let _ = self.error.set(error);
        if self.is_purpose && !self.is_over.load(Ordering::SeqCst) {
            interrupts.raise();
        }
    }

    /// The run is over; only what it has sent is still to be shown.
    pub fn end_run(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// How a run has ended that would have ended so.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        let Some(error) = self.error.get() else {
            return outcome;
        };
        let is_broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        match outcome {
            _ if is_broken_pipe && self.is_purpose => Outcome::BrokenPipe,
            _ if is_broken_pipe => outcome,
            Outcome::Done | Outcome::NothingToDo => Outcome::Failed,
            // Nobody else has interrupted it.
            Outcome::Interrupted if self.is_purpose => Outcome::Failed,
            _ => outcome,
        }
    }

    /// How a run has ended whose user did not wait for the rest of its output.
    pub fn broken_off(&self, outcome: Outcome) -> Outcome {
        if self.is_purpose {
            Outcome::Interrupted
        } else {
            outcome
        }
    }

    /// What its user must know. A closed pipe is no error: its reader has had enough.
    pub fn report(&self) -> Option<ErrorReport> {
        let error = self.error.get()?;
        (error.kind() != io::ErrorKind::BrokenPipe).then(|| ErrorReport {
            message: format!("cannot write to standard output: {error}"),
            ..ErrorReport::default()
        })
    }

    /// Whether this ended the run.
    pub fn ended_run(&self) -> bool {
        self.is_purpose && self.error.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lost_output_decides_how_a_run_ends_that_has_no_other_purpose() {
        use Outcome::{BrokenPipe, Done, Failed, Interrupted, Reverted};
        let interrupts = Interrupts::listen().expect("signals can be listened to");
        for (is_purpose, kind, without, with) in [
            (true, io::ErrorKind::BrokenPipe, Done, BrokenPipe),
            (true, io::ErrorKind::BrokenPipe, Interrupted, BrokenPipe),
            (true, io::ErrorKind::StorageFull, Interrupted, Failed),
            (true, io::ErrorKind::StorageFull, Done, Failed),
            (false, io::ErrorKind::BrokenPipe, Done, Done),
            (false, io::ErrorKind::BrokenPipe, Interrupted, Interrupted),
            (false, io::ErrorKind::StorageFull, Done, Failed),
            (false, io::ErrorKind::StorageFull, Reverted, Reverted),
        ] {
            let output = StandardOutput::new(is_purpose);
            assert_eq!(output.outcome(without), without, "nothing is lost");
            output.fail(kind.into(), &interrupts);
            assert_eq!(
                output.outcome(without),
                with,
                "{is_purpose} {kind} {without:?}"
            );
            assert_eq!(
                output.report().is_some(),
                kind == io::ErrorKind::StorageFull
            );
        }
    }

    #[tokio::test]
    async fn a_run_that_goes_on_is_interrupted_only_when_it_lost_its_purpose() {
        let interrupts = Interrupts::listen().expect("signals can be listened to");
        let fail = |output: &StandardOutput| {
            output.fail(io::ErrorKind::BrokenPipe.into(), &interrupts);
        };
        fail(&StandardOutput::new(false));
        let over = StandardOutput::new(true);
        over.end_run();
        fail(&over);
        assert!(!interrupts.happened());
        fail(&StandardOutput::new(true));
        assert!(interrupts.happened());
    }
}
