//! Which slots need a hand: those that the rollout can bring to neither state, or of which nobody knows.
//!
//! These are slots on a host that cannot be reached, slots whose return to the old container failed, slots
//! whose container ran before and is not well, and slots that were cut off in the middle. `failures` says when
//! one of the first three has come about.

use super::state::{Direction, Place, Rollout, State};
use crate::rollout::machine::{
    action::Action,
    failure,
    gate::WatchEnd,
    outcome::{Failure, SlotState},
    slot::Slot,
};

impl Rollout {
    /// Gives a slot up: from here on it needs a hand.
    pub(super) fn needs_hand(&mut self, at: usize, failure: Failure) {
        self.failure
            .get_or_insert_with(|| (Some(Slot(at)), failure.clone()));
        self.settle(at, SlotState::NeedsHand(failure));
    }

    /// Gives a slot up because its host cannot be reached.
    pub(super) fn needs_hand_as_lost(&mut self, at: usize) {
        if let Some(failure) = self.lost.get(&self.places[at].replacement.host) {
            self.needs_hand(at, failure.clone());
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
            let was_monitored = self.end_monitoring(other, WatchEnd::Abandoned, actions);
            self.updated.retain(|at| *at != other || !was_monitored);
            let (fails, settles) = match &mut self.places[other].state {
                State::Settled(_) if was_monitored => (true, true),
                State::Settled(_) => (false, false),
                State::Unhealthy { .. } => (true, true),
                State::Pending => (self.phase.goes_forward(), true),
                State::InProgress { run, direction } => {
                    run.abandon(actions);
                    (*direction == Direction::Forward, !run.is_performing())
                }
            };
            if fails {
                self.count(other, &inherited);
            }
            if settles {
                self.needs_hand(other, inherited.clone());
            }
        }
    }

    pub(super) fn is_lost(&self, at: usize) -> bool {
        self.lost.contains_key(&self.places[at].replacement.host)
    }

    /// What every slot has when nobody goes on with this rollout: what is settled, what was never begun, and
    /// what was in the middle and needs a hand.
    pub fn states_when_cut_off(&self) -> Vec<SlotState> {
        let state = |place: &Place| match &place.state {
            State::Settled(state) => state.clone(),
            State::Pending => SlotState::Untouched,
            State::InProgress { .. } | State::Unhealthy { .. } => SlotState::NeedsHand(Failure {
                error: vec!["stopped in the middle".to_owned()],
                unreachable: false,
            }),
        };
        self.places.iter().map(state).collect()
    }
}
