//! Reverting after a failure.

use super::{deployment::Deployment, finished::FinishedRollout};
use crate::{
    event::{EventKind, Outcome, Phase},
    hosts::Stop,
    rollout::driver::Running,
    rollout::machine::{Rollout, RolloutEnd, SlotState},
};

impl Deployment<'_> {
    /// Reverts a rollout that ended well, but whose probe counted too many failures.
    pub(super) async fn revert_after_probe(
        &self,
        mut finished: FinishedRollout,
        mut stop: Box<Stop>,
    ) -> (FinishedRollout, Option<Box<Stop>>) {
        if finished.running.policy.auto_revert {
            let reason = stop.report.message.clone();
            stop.outcome = match self.revert(&mut finished, &reason).await {
                Some(RolloutEnd::Reverted) => Outcome::Reverted,
                Some(_) => Outcome::Failed,
                None => Outcome::Interrupted,
            };
        }
        (finished, Some(stop))
    }

    /// Reverts the recipes that were rolled out before the one that failed, newest first, where they have
    /// `auto_revert`: a failed release leaves nothing behind. Commands of a recipe without a container cannot be
    /// reverted.
    pub(super) async fn revert_earlier(
        &self,
        finished: &mut [FinishedRollout],
        ran_tasks: bool,
        stop: &mut Stop,
    ) {
        // An interrupt during the reverting does not change what must be reverted.
        if stop.outcome != Outcome::Reverted && stop.outcome != Outcome::Failed {
            return;
        }
        let mut all_reverted = stop.outcome == Outcome::Reverted;
        let reason = stop.report.message.clone();
        for earlier in finished.iter_mut().rev() {
            if !earlier.states.contains(&SlotState::Updated) {
                continue;
            }
            // What others do wrong is no reason to take a database back.
            let stays = !earlier.running.policy.auto_revert || earlier.running.recipe.accessory;
            if stays {
                all_reverted = false;
                continue;
            }
            let Some(end) = self.revert(earlier, &reason).await else {
                stop.outcome = Outcome::Interrupted;
                return;
            };
            all_reverted &= end == RolloutEnd::Reverted;
        }
        if stop.outcome == Outcome::Reverted && (!all_reverted || ran_tasks) {
            stop.outcome = Outcome::Failed;
        }
    }

    /// Reverts one recipe's finished rollout; `None` when the user stopped everything at once.
    async fn revert(&self, finished: &mut FinishedRollout, reason: &str) -> Option<RolloutEnd> {
        self.context.events.send(EventKind::Phase {
            phase: Phase::Revert,
        });
        self.context.events.send(EventKind::Note {
            message: format!("reverting `{}`: {reason}", finished.running.recipe.name),
        });
        // A slot that was reverted by itself, or never begun, has nothing to revert.
        let updated: Vec<usize> = (0..finished.states.len())
            .filter(|index| finished.states[*index] == SlotState::Updated)
            .collect();
        let running = Running {
            canary_share: None,
            recipe: finished.running.recipe.clone(),
            policy: finished.running.policy.clone(),
            slots: updated
                .iter()
                .map(|index| finished.running.slots[*index].clone())
                .collect(),
        };
        let machine = Rollout::revert(running.policy.clone(), running.replacements());
        let driven = self.drive(&running, machine, None).await;
        for (index, state) in updated.into_iter().zip(driven.states) {
            finished.states[index] = state;
        }
        driven.finish.map(|finish| finish.end)
    }
}
