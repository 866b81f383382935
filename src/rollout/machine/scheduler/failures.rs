//! What a slot's failure means for it and for the others.

use std::time::Duration;

use super::{Phase, Rollout, State, Way};
use crate::rollout::machine::{Action, Failure, Slot, SlotState, WatchEnd, failure, sequence};

impl Rollout {
    pub(super) fn run_failed(
        &mut self,
        at: usize,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some((_, way)) = self.run_at(at) else {
            return;
        };
        if failure.unreachable || self.is_lost(at) {
            if way == Way::Forward {
                self.count(at, &failure);
            }
            self.settle_by_hand(at, failure.clone());
            self.lose_host(at, &failure, actions);
            self.take_back_if_over(now, actions);
            return;
        }
        match way {
            Way::Forward => {
                self.count(at, &failure);
                // What ran before this rollout, and is not well, cannot be put back by it.
                let replacement = &self.places[at].replacement;
                if replacement.incoming_runs && !replacement.has_outgoing {
                    self.settle_by_hand(at, failure);
                }
                self.take_back_if_over(now, actions);
                // Unless that has recalled it already, with all others in hand.
                if matches!(self.run_at(at), Some((_, Way::Forward))) {
                    self.turn_back(at, now, actions);
                }
            }
            Way::Recalled => self.turn_back(at, now, actions),
            Way::Back => self.settle_by_hand(at, failure),
        }
    }

    /// Gives up every slot on a host that cannot be reached, but for those that are in a step, which will
    /// tell by itself, and those whose old container was only taken away, which are finished for good.
    pub(super) fn lose_host(&mut self, at: usize, failure: &Failure, actions: &mut Vec<Action>) {
        let host = self.places[at].replacement.host.clone();
        let inherited = failure::lost_with(&host, failure);
        if self.lost.contains_key(&host) {
            return;
        }
        self.lost.insert(host.clone(), inherited.clone());
        for other in 0..self.places.len() {
            if self.places[other].replacement.host != host {
                continue;
            }
            let was_kept = self.unkeep(other, WatchEnd::Abandoned, actions);
            self.updated.retain(|at| *at != other || !was_kept);
            let (fails, settles) = match &mut self.places[other].state {
                State::Settled(_) if was_kept => (true, true),
                State::Settled(_) => (false, false),
                State::Fallen { .. } => (true, true),
                State::Pending => (self.phase.goes_forward(), true),
                State::InHand { run, way } => {
                    run.abandon(actions);
                    (*way == Way::Forward, !run.is_performing())
                }
            };
            if fails {
                self.count(other, &inherited);
            }
            if settles {
                self.settle_by_hand(other, inherited.clone());
            }
        }
    }

    /// Ends the rollout forwards if more slots have failed than may. After an interrupt each slot in hand
    /// goes to its own end, so there is nothing to end.
    pub(super) fn take_back_if_over(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.phase.goes_forward() && !self.interrupted && self.is_over_its_failures() {
            let reason = match &self.failure {
                Some((_, Failure { error, .. })) => error.first().cloned(),
                None => None,
            };
            self.take_back(reason.as_deref().unwrap_or("a slot failed"), now, actions);
        }
    }

    pub(super) fn fail_as_a_whole(
        &mut self,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        if self.phase.goes_forward() {
            let reason = failure.error.join(": ");
            self.failure = Some((None, failure));
            self.take_back(&reason, now, actions);
        }
    }

    /// From here on the rollout goes backwards. An interrupted one returns what is in hand and no more.
    pub(super) fn take_back(&mut self, reason: &str, now: Duration, actions: &mut Vec<Action>) {
        let all = self.policy.auto_revert && !self.interrupted;
        self.phase = Phase::TakingBack { all };
        let has_touched = self.in_hand().any(|(run, _)| !run.touched().nothing());
        let has_fallen = self.fallen().next().is_some();
        if has_touched || has_fallen || all && !self.updated.is_empty() {
            let reason = reason.to_owned();
            actions.push(Action::Reverting { reason });
        }
        for at in 0..self.places.len() {
            if let State::InHand { run, way } = &mut self.places[at].state
                && *way == Way::Forward
            {
                if run.is_performing() {
                    *way = Way::Recalled;
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
        let touched = run.touched();
        if touched.nothing() {
            self.settle(at, SlotState::Untouched);
        } else {
            let stages = sequence::turn_back(&self.policy, &self.places[at].replacement, touched);
            self.set_out(at, stages, touched, Way::Back, now, actions);
        }
    }

    pub(super) fn count(&mut self, at: usize, failure: &Failure) {
        self.places[at].failed = true;
        self.failure
            .get_or_insert_with(|| (Some(Slot(at)), failure.clone()));
    }

    pub(super) fn settle_by_hand(&mut self, at: usize, failure: Failure) {
        self.failure
            .get_or_insert_with(|| (Some(Slot(at)), failure.clone()));
        self.settle(at, SlotState::NeedsHand(failure));
    }

    pub(super) fn settle_as_lost(&mut self, at: usize) {
        if let Some(failure) = self.lost.get(&self.places[at].replacement.host) {
            self.settle_by_hand(at, failure.clone());
        }
    }

    pub(super) fn is_over_its_failures(&self) -> bool {
        self.places.iter().filter(|place| place.failed).count() > self.policy.max_failures
    }

    pub(super) fn is_lost(&self, at: usize) -> bool {
        self.lost.contains_key(&self.places[at].replacement.host)
    }
}
