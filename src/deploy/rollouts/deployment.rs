//! What the rollouts of one deploy share, and the words of their errors.

use std::sync::Arc;

use crate::{
    balancers::BackendLists,
    event::{EventKind, Outcome},
    facts::Facts,
    hosts::{Fleet, Stop},
    model::Recipe,
    plan::Plan,
    release::Action,
    rollout::{
        driver::{Driven, Promotion, Running, drive},
        machine::Rollout,
        probe::ProbeWatch,
    },
    run::{Context, Interrupt},
};

/// Everything that the rollouts of one deploy share.
pub struct Deployment<'a> {
    /// The run's context.
    pub context: &'a Context<'a>,
    /// The hosts.
    pub fleet: &'a Fleet,
    /// What ran before.
    pub facts: &'a Facts,
    /// What is to change.
    pub plan: &'a Plan,
    /// What is in the files with backends of balancers.
    pub lists: &'a Arc<BackendLists>,
    /// How a canary's question is answered.
    pub promotion: &'a Promotion,
    /// What the release is.
    pub action: Action,
}

impl Deployment<'_> {
    /// What an error names as having failed: `deploy of `web` r42`.
    pub(super) fn title(&self, recipe: &Recipe) -> String {
        let verb = self.action.verb();
        format!("{verb} of `{}` {}", recipe.name, self.plan.release)
    }

    /// The error of a run that the second interrupt stopped.
    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    pub(super) fn stopped_now(&self, recipe: &Recipe) -> Box<Stop> {
        let message = format!("{} was stopped at once", self.title(recipe));
        Stop::new(Outcome::Interrupted, message).hint(self.status_hint())
    }

    /// The hint after a rollout that left things half done.
    pub(super) fn status_hint(&self) -> String {
        let environment = &self.context.environment.name;
        format!(
            "`shipit status {environment}` shows what runs now; run the same command again to continue, or `shipit rollback {environment}` to go back"
        )
    }

    /// The error of a run that the first interrupt ended.
    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    pub(super) fn interrupted(&self) -> Box<Stop> {
        let message = format!(
            "{} was interrupted; no further host was started",
            self.plan.release
        );
        Stop::new(Outcome::Interrupted, message).hint(self.status_hint())
    }

    /// Makes the lost lock the cause of a run that it has ended: it is no wish of the user's.
    pub fn ended_by_the_lost_lock(&self, stop: &mut Stop, reason: String) {
        if stop.outcome == Outcome::Interrupted {
            stop.outcome = Outcome::Failed;
            stop.report.message = format!(
                "{} stopped: the lock was lost; no further host was started",
                self.plan.release
            );
            stop.report.causes.insert(0, reason);
        }
    }

    /// Runs commands outside of a rollout. A first interrupt waits for their end, a second stops them.
    pub(super) async fn unless_stopped_now<T>(
        &self,
        recipe: &Recipe,
        commands: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Box<Stop>> {
        let mut interrupts = self.context.interrupts.clone();
        let stopped = async {
            while interrupts.next().await != Interrupt::Immediate {
                let message = format!(
                    "interrupted: waiting for {commands} of `{}` to end; interrupt again to stop now",
                    recipe.name
                );
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint: None,
                });
            }
        };
        tokio::select! {
            ended = work => Ok(ended),
            () = stopped => Err(self.stopped_now(recipe)),
        }
    }

    /// Drives one rollout to its end.
    pub(super) async fn drive(
        &self,
        running: &Running,
        machine: Rollout,
        probe: Option<&mut ProbeWatch>,
    ) -> Driven {
        drive(
            running,
            machine,
            self.context.events,
            self.context.interrupts,
            probe,
            self.promotion,
        )
        .await
    }
}
