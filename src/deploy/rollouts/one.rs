//! The rollout of one recipe.

use super::{deployment::Deployment, finished::FinishedRollout};
use crate::{
    event::Outcome,
    hosts::Stop,
    model::Recipe,
    plan::RecipePlan,
    rollout::{
        driver::Running,
        machine::{Rollout, SlotState},
        steps,
    },
};

impl Deployment<'_> {
    /// Rolls out one recipe: its `before` commands, then its slots, then a look at its probe.
    pub(super) async fn roll_out(
        &self,
        recipe_plan: &RecipePlan,
        recipe: &Recipe,
    ) -> (FinishedRollout, Option<Box<Stop>>) {
        let running = self.running(recipe_plan, recipe);
        let mut prepared = self.prepare_once(&running).await;
        // An interrupt during the `before` commands: no host may start after it.
        if prepared.is_ok() && self.context.interrupts.happened() {
            prepared = Err(self.interrupted());
        }
        if let Err(stop) = prepared {
            let states = running.slots.iter().map(|_| SlotState::Untouched).collect();
            return (FinishedRollout { running, states }, Some(stop));
        }
        let mut probe = self.start_probe(&running).await;
        let machine = Rollout::new(running.policy.clone(), running.replacements());
        let driven = self.drive(&running, machine, probe.as_mut()).await;
        let mut stop = self.failure(&running, &driven);
        let mut states = driven.states.clone();
        if let Some(probe) = probe {
            // What has failed, or was stopped at once, waits for no last look.
            let failure = probe.finish(self.context.events, stop.is_none()).await;
            if let (Some((reason, cause)), None) = (failure, &stop) {
                let mut failed = Stop::new(
                    Outcome::Failed,
                    format!("{} stopped: {reason}", self.title(recipe)),
                );
                failed.report.causes.extend(cause);
                let finished = FinishedRollout { running, states };
                return self.revert_after_probe(finished, failed).await;
            }
        }
        if let Some(stop) = &mut stop {
            stop.report.evidence.extend(driven.evidence);
            // A slot without a state was stopped before it reported one.
            states.resize_with(running.slots.len(), || SlotState::Untouched);
        }
        (FinishedRollout { running, states }, stop)
    }

    async fn prepare_once(&self, running: &Running) -> Result<(), Box<Stop>> {
        let Some(first) = running.slots.first() else {
            return Ok(());
        };
        let work = Box::pin(steps::before_once(first));
        let ended = self
            .unless_stopped_now(&running.recipe, "`before` commands", work)
            .await?;
        ended.map_err(|error| {
            let host = first.reached.name();
            let message = format!(
                "{} stopped before it began: a `before` command failed on `{host}`",
                self.title(&running.recipe)
            );
            Stop::on_host(Outcome::Failed, message, host, &error)
        })
    }
}
