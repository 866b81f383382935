//! What goes back when a rollout has failed.

use super::{Rolled, Rollouts};
use crate::{
    event::{EventKind, Outcome, Phase},
    hosts::Stop,
    rollout::driver::Running,
    rollout::machine::{Rollout, RolloutEnd, SlotState},
};

impl Rollouts<'_> {
    pub(super) async fn take_back_after_probe(
        &self,
        mut rolled: Rolled,
        mut stop: Box<Stop>,
    ) -> (Rolled, Option<Box<Stop>>) {
        if rolled.running.policy.auto_revert {
            let reason = stop.report.message.clone();
            stop.outcome = match self.take_back(&mut rolled, &reason).await {
                Some(RolloutEnd::Reverted) => Outcome::Reverted,
                Some(_) => Outcome::Failed,
                None => Outcome::Interrupted,
            };
        }
        (rolled, Some(stop))
    }

    /// A failed release leaves nothing behind: recipes that were rolled out before the one that failed go
    /// back too, newest first, where they have `auto_revert`.
    /// Commands of a recipe without a container cannot be taken back.
    pub(super) async fn take_back_earlier(
        &self,
        rolled: &mut [Rolled],
        ran_tasks: bool,
        stop: &mut Stop,
    ) {
        // An interrupt that comes while a failure is taken back does not change what is to be taken back.
        if stop.outcome != Outcome::Reverted && stop.outcome != Outcome::Failed {
            return;
        }
        let mut all_back = stop.outcome == Outcome::Reverted;
        let reason = stop.report.message.clone();
        for earlier in rolled.iter_mut().rev() {
            if !earlier.states.contains(&SlotState::Updated) {
                continue;
            }
            if !earlier.running.policy.auto_revert {
                all_back = false;
                continue;
            }
            let Some(end) = self.take_back(earlier, &reason).await else {
                stop.outcome = Outcome::Interrupted;
                return;
            };
            all_back &= end == RolloutEnd::Reverted;
        }
        if stop.outcome == Outcome::Reverted && (!all_back || ran_tasks) {
            stop.outcome = Outcome::Failed;
        }
    }

    /// Takes one recipe's finished rollout back; `None` when the user stopped everything at once.
    pub(super) async fn take_back(&self, rolled: &mut Rolled, reason: &str) -> Option<RolloutEnd> {
        self.context.events.send(EventKind::Phase {
            phase: Phase::Revert,
        });
        self.context.events.send(EventKind::Note {
            message: format!("taking back `{}`: {reason}", rolled.running.recipe.name),
        });
        // A slot that failed by itself and went back, or was never begun, has nothing to take back.
        let updated: Vec<usize> = (0..rolled.states.len())
            .filter(|index| rolled.states[*index] == SlotState::Updated)
            .collect();
        let running = Running {
            recipe: rolled.running.recipe.clone(),
            policy: rolled.running.policy.clone(),
            slots: updated
                .iter()
                .map(|index| rolled.running.slots[*index].clone())
                .collect(),
            around: rolled.running.around.clone(),
        };
        let machine = Rollout::revert(running.policy.clone(), running.replacements());
        let driven = self.drive(&running, machine, None).await;
        for (index, state) in updated.into_iter().zip(driven.states) {
            rolled.states[index] = state;
        }
        driven.finish.map(|finish| finish.end)
    }
}
