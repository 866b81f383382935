//! What a slot's failure means for it and for the others.

use std::time::Duration;

use super::state::{Direction, Phase, Rollout, State};
use crate::rollout::machine::{
    action::Action,
    outcome::{Failure, SlotState},
    sequence,
    slot::Slot,
};

impl Rollout {
    /// Decides what a failed run means: a way back, or a hand.
    pub(super) fn run_failed(
        &mut self,
        at: usize,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some((_, direction)) = self.run_at(at) else {
            return;
        };
        if failure.unreachable || self.is_lost(at) {
            if direction == Direction::Forward {
                self.count(at, &failure);
            }
            self.needs_hand(at, failure.clone());
            self.lose_host(at, &failure, actions);
            self.revert_if_over_max_failures(now, actions);
            return;
        }
        match direction {
            Direction::Forward => {
                self.count(at, &failure);
                // What ran before this rollout, and is not well, cannot be put back by it.
                let replacement = &self.places[at].replacement;
                if replacement.incoming_runs && !replacement.has_outgoing() {
                    self.needs_hand(at, failure);
                }
                self.revert_if_over_max_failures(now, actions);
                // Unless that has recalled it already, with all others in progress.
                if matches!(self.run_at(at), Some((_, Direction::Forward))) {
                    self.turn_back(at, now, actions);
                }
            }
            Direction::Recalled => self.turn_back(at, now, actions),
            Direction::Back => self.needs_hand(at, failure),
        }
    }

    /// Ends the rollout forwards if more slots have failed than may. After an interrupt each slot in progress
    /// goes to its own end, so there is nothing to end.
    pub(super) fn revert_if_over_max_failures(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let may_end = !self.interrupted || self.policy.is_all_or_none();
        if self.phase.goes_forward() && may_end && self.is_over_max_failures() {
            let reason = match &self.failure {
                Some((_, Failure { error, .. })) => error.first().cloned(),
                None => None,
            };
            self.begin_revert(reason.as_deref().unwrap_or("a slot failed"), now, actions);
        }
    }

    /// Ends the rollout forwards for a reason that is no slot's.
    pub(super) fn fail_as_a_whole(
        &mut self,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        if self.phase.goes_forward() {
            let reason = failure.error.join(": ");
            self.failure = Some((None, failure));
            self.begin_revert(&reason, now, actions);
        }
    }

    /// From here on the rollout reverts. An interrupted one returns what is in progress and no more.
    pub(super) fn begin_revert(&mut self, reason: &str, now: Duration, actions: &mut Vec<Action>) {
        let all = self.policy.is_all_or_none() || self.policy.auto_revert && !self.interrupted;
        self.phase = Phase::Reverting { all };
        let has_touched = self.in_progress().any(|(run, _)| !run.touched().nothing());
        let has_unhealthy = self.unhealthy().next().is_some();
        if has_touched || has_unhealthy || all && !self.updated.is_empty() {
            let reason = reason.to_owned();
            actions.push(Action::Reverting { reason });
        }
        for at in 0..self.places.len() {
            if let State::InProgress { run, direction } = &mut self.places[at].state
                && *direction == Direction::Forward
            {
                if run.is_performing() {
                    *direction = Direction::Recalled;
                } else {
                    run.abandon(actions);
                    self.turn_back(at, now, actions);
                }
            }
        }
    }

    /// Sends a slot that is not in a step back to its old container.
    pub(super) fn turn_back(&mut self, at: usize, now: Duration, actions: &mut Vec<Action>) {
        let Some((run, _)) = self.run_at(at) else {
            return;
        };
        let mut touched = run.touched();
        // A release that was cut off may have switched to what it left here, in any slot.
        touched.old |= self.policy.is_all_or_none() && self.may_be_switched();
        if touched.nothing() {
            self.settle(at, SlotState::Untouched);
        } else {
            let stages = sequence::turn_back(&self.policy, &self.places[at].replacement, touched);
            self.begin_run(at, stages, touched, Direction::Back, now, actions);
        }
    }

    /// Whether requests may have gone to new containers before this rollout began.
    fn may_be_switched(&self) -> bool {
        let mut replacements = self.places.iter().map(|place| &place.replacement);
        replacements.any(|it| it.incoming_runs && it.has_outgoing())
    }

    /// Counts a slot against `max_failures`.
    pub(super) fn count(&mut self, at: usize, failure: &Failure) {
        self.places[at].failed = true;
        self.failure
            .get_or_insert_with(|| (Some(Slot(at)), failure.clone()));
    }

    pub(super) fn is_over_max_failures(&self) -> bool {
        self.places.iter().filter(|place| place.failed).count() > self.policy.max_failures
    }
}
