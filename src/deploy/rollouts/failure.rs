//! The error of a rollout that failed.

use super::{deployment::Deployment, finished::FinishedRollout};
use crate::{
    event::{EventKind, Evidence, Outcome},
    hosts::Stop,
    rollout::{
        driver::{Driven, Running, headline},
        machine::{Failure, Finish, RolloutEnd, Slot, SlotState},
    },
};

impl Deployment<'_> {
    /// The error of a driven rollout, if it failed.
    pub(super) fn failure(&self, running: &Running, driven: &Driven) -> Option<Box<Stop>> {
        let recipe = &running.recipe;
        let Some(Finish { end, failure, .. }) = &driven.finish else {
            return Some(self.stopped_now(recipe));
        };
        let outcome = match end {
            RolloutEnd::Completed => {
                if let Some((_, tolerated)) = failure {
                    let message = format!("within `max_failures`: {}", tolerated.error.join(": "));
                    let hint = Some(format!(
                        "`shipit deploy {}` tries those hosts again",
                        self.context.environment.name
                    ));
                    self.context.events.send(EventKind::Warning {
                        host: None,
                        message,
                        hint,
                    });
                }
                return None;
            }
            RolloutEnd::Interrupted => {
                let mut stop = self.interrupted();
                stop.report.causes.extend(
                    failure
                        .iter()
                        .flat_map(|(_, failure)| failure.error.clone()),
                );
                return Some(stop);
            }
            RolloutEnd::Reverted => Outcome::Reverted,
            RolloutEnd::Stopped | RolloutEnd::RevertFailed => Outcome::Failed,
        };
        let (slot, failure) = match failure {
            Some((slot, failure)) => (*slot, failure.clone()),
            None => (
                None,
                Failure {
                    error: Vec::new(),
                    unreachable: false,
                },
            ),
        };
        let host = slot
            .and_then(|Slot(index)| running.slots.get(index))
            .map(|slot| slot.reached.name().clone());
        let message = format!("{} stopped: {}", self.title(recipe), headline(&failure));
        let mut stop = Stop::new(outcome, message);
        stop.report.causes.extend(failure.error.into_iter().skip(1));
        stop.report.hint = Some(if host.is_some() || outcome == Outcome::Reverted {
            let environment = &self.context.environment.name;
            let release = self.plan.release;
            format!(
                "`shipit logs {environment} {} --release {release}` shows all of it",
                recipe.name
            )
        } else {
            self.status_hint()
        });
        Some(stop)
    }

    /// Adds to the error what it leaves to be done by hand.
    pub(super) fn add_hints(&self, stop: &mut Stop, finished: &[FinishedRollout]) {
        if stop.outcome == Outcome::Failed && stop.report.hint.is_none() {
            stop.report.hint = Some(self.status_hint());
        }
        let needs_hand = |finished: &&FinishedRollout| {
            let mut states = finished.states.iter();
            states.any(|state| matches!(state, SlotState::NeedsHand(_)))
        };
        let by_hand = finished.iter().filter(needs_hand).map(|finished| {
            let recipe = &finished.running.recipe.name;
            format!("on the hosts that need a hand: `docker ps --all --filter label=shipit.recipe={recipe}`")
        });
        let mut hints: Vec<_> = by_hand.chain(stop.report.hint.take()).collect();
        let look = self.status_hint();
        if hints.len() > 1 && !hints.contains(&look) {
            hints.push(look);
        }
        stop.report.hint = Some(hints.join("\n")).filter(|hints| !hints.is_empty());
        stop.report
            .evidence
            .retain(|Evidence { lines, .. }| !lines.is_empty());
    }
}
