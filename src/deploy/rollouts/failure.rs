//! What the end of a rollout means for the run, and what is told of it.

use super::{Rolled, Rollouts};
use crate::{
    event::{EventKind, Evidence, HostRow, Outcome, Severity},
    hosts::Stop,
    model::{HostName, Name, Recipe},
    plan::SlotPlan,
    release::Number,
    rollout::driver::{Driven, Running, headline},
    rollout::machine::{Failure, Finish, RolloutEnd, Slot, SlotState},
};

impl Rollouts<'_> {
    /// What a driven rollout means for the run.
    pub(super) fn judge(&self, running: &Running, driven: &Driven) -> Option<Box<Stop>> {
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
        let message = format!("{} stopped: {}", self.what(recipe), headline(&failure));
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
            self.look_hint()
        });
        Some(stop)
    }

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    pub(super) fn stopped_now(&self, recipe: &Recipe) -> Box<Stop> {
        let message = format!("{} was stopped at once", self.what(recipe));
        Stop::new(Outcome::Interrupted, message).hint(self.look_hint())
    }

    pub(super) fn look_hint(&self) -> String {
        let environment = &self.context.environment.name;
        format!(
            "`shipit status {environment}` shows what runs now; the same command again goes on from there, and `shipit rollback {environment}` goes back"
        )
    }

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    pub(super) fn interrupted(&self) -> Box<Stop> {
        let message = format!(
            "{} was interrupted; the hosts in hand were finished, no other was started",
            self.plan.release
        );
        Stop::new(Outcome::Interrupted, message).hint(self.look_hint())
    }

    /// The table at the end: every slot that was to be changed.
    pub(super) fn rows(&self, rolled: &[Rolled]) -> Vec<HostRow> {
        let mut rows = Vec::new();
        for recipe_plan in &self.plan.recipes {
            let ended = rolled
                .iter()
                .find(|rolled| rolled.running.recipe.name == recipe_plan.recipe);
            for (index, slot) in recipe_plan.changes().enumerate() {
                let state = ended.and_then(|ended| ended.states.get(index));
                rows.push(self.row(
                    &recipe_plan.recipe,
                    slot,
                    state.unwrap_or(&SlotState::Untouched),
                ));
            }
        }
        rows
    }

    pub(super) fn row(&self, recipe: &Name, slot: &SlotPlan, state: &SlotState) -> HostRow {
        let ran = slot.incoming.iter().filter(|incoming| incoming.runs);
        let before = slot
            .outgoing
            .first()
            .or_else(|| ran.map(|incoming| &incoming.name).next())
            .and_then(|name| self.release_of(&slot.host, &name.active));
        let (now, state, detail, severity) = match (state, before) {
            (SlotState::Updated, _) if slot.incoming.is_some() => {
                (Some(self.plan.release), "serving", None, Severity::Good)
            }
            (SlotState::Updated, _) => (None, "removed", None, Severity::Good),
            (SlotState::Untouched, None) => (None, "not started", None, Severity::Notable),
            (SlotState::Untouched, Some(_)) => {
                (before, "serving (untouched)", None, Severity::Notable)
            }
            (SlotState::Reverted, None) => (None, "stopped (reverted)", None, Severity::Notable),
            (SlotState::Reverted, Some(_)) => {
                (before, "serving (reverted)", None, Severity::Notable)
            }
            (SlotState::NeedsHand(failure), _) => {
                let state = if failure.unreachable {
                    "unreachable"
                } else {
                    "needs a hand"
                };
                (before, state, Some(headline(failure)), Severity::Bad)
            }
        };
        HostRow {
            host: slot.host.to_string(),
            recipe: Some(recipe.to_string()),
            release: now.map(|number| number.to_string()),
            state: state.to_owned(),
            detail,
            severity,
        }
    }

    pub(super) fn release_of(&self, host: &HostName, container: &str) -> Option<Number> {
        let containers = &self.facts.hosts.get(host)?.containers;
        let found = containers.iter().find(|other| other.name == container)?;
        found.identity().map(|identity| Number(identity.release))
    }

    /// Says in the error what a failure leaves to be done by hand.
    pub(super) fn complete(&self, stop: &mut Stop, rolled: &[Rolled]) {
        if stop.outcome == Outcome::Failed && stop.report.hint.is_none() {
            stop.report.hint = Some(self.look_hint());
        }
        let needs_hand = |rolled: &&Rolled| {
            let mut states = rolled.states.iter();
            states.any(|state| matches!(state, SlotState::NeedsHand(_)))
        };
        let by_hand = rolled.iter().filter(needs_hand).map(|rolled| {
            let recipe = &rolled.running.recipe.name;
            format!("on the hosts that need a hand: `docker ps --all --filter label=shipit.recipe={recipe}`")
        });
        let mut hints: Vec<_> = by_hand.chain(stop.report.hint.take()).collect();
        let look = self.look_hint();
        if hints.len() > 1 && !hints.contains(&look) {
            hints.push(look);
        }
        stop.report.hint = Some(hints.join("\n")).filter(|hints| !hints.is_empty());
        stop.report
            .evidence
            .retain(|Evidence { lines, .. }| !lines.is_empty());
    }
}
