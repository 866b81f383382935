//! Which slot goes next, and how the rollout ends.

use std::time::Duration;

use super::{Phase, Place, Rollout, State, Way};
use crate::rollout::machine::{
    Action, Failure, Finish, RolloutEnd, SlotState, WatchEnd,
    sequence::{self, Touched},
};

/// What the rollout does next by itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    Start(usize),
    TakeBack(usize),
    AskPromotion,
    Promote,
    NoCanaryIsHealthy,
    Finish,
}

impl Rollout {
    /// Decides what may begin now.
    pub(super) fn next(&self) -> Option<Next> {
        let in_hand = self.in_hand().count();
        let finish = (in_hand == 0 && self.all_kept_hold()).then_some(Next::Finish);
        match self.phase {
            Phase::Waiting { .. } | Phase::Finished => None,
            _ if self.may_return().is_some() => self.may_return().map(Next::TakeBack),
            Phase::TakingBack { all: true } if !self.updated.is_empty() => {
                let newest = self.updated.last().copied().map(Next::TakeBack);
                newest.filter(|_| in_hand < self.width())
            }
            Phase::TakingBack { .. } => finish,
            _ if self.interrupted => finish,
            Phase::Promotion => {
                let no_canary_is_left = in_hand == 0 && self.updated.is_empty();
                no_canary_is_left.then_some(Next::NoCanaryIsHealthy)
            }
            // One unhealthy slot is enough to wait, also when the budget allows for it.
            _ if self.is_unhealthy() => None,
            Phase::Canaries => match self.first_pending(self.canaries()) {
                Some(at) => (in_hand < self.width()).then_some(Next::Start(at)),
                None if in_hand > 0 => None,
                None if self.first_pending(self.places.len()).is_none() => finish,
                None if self.updated.is_empty() => Some(Next::NoCanaryIsHealthy),
                None if self.policy.auto_promote => Some(Next::Promote),
                None => Some(Next::AskPromotion),
            },
            Phase::Rest => match self.first_pending(self.places.len()) {
                Some(at) => (in_hand < self.width()).then_some(Next::Start(at)),
                None => finish,
            },
        }
    }

    pub(super) fn do_next(&mut self, next: Next, now: Duration, actions: &mut Vec<Action>) {
        match next {
            Next::Start(at) => {
                if self.progress_is_due_at().is_none() {
                    self.last_progress = now;
                }
                let stages = sequence::forward(&self.policy, &self.places[at].replacement);
                self.set_out(at, stages, Touched::default(), Way::Forward, now, actions);
            }
            Next::TakeBack(at) => {
                self.updated.retain(|other| *other != at);
                self.unkeep(at, WatchEnd::Abandoned, actions);
                let Place {
                    replacement, state, ..
                } = &self.places[at];
                if self.is_lost(at) {
                    self.settle_as_lost(at);
                } else {
                    let stages = match state {
                        State::Fallen { .. } => {
                            sequence::turn_back(&self.policy, replacement, Touched::BOTH)
                        }
                        _ => sequence::revert(&self.policy, replacement),
                    };
                    self.set_out(at, stages, Touched::BOTH, Way::Back, now, actions);
                }
            }
            Next::AskPromotion => {
                self.phase = Phase::Promotion;
                actions.push(Action::AskPromotion);
            }
            Next::Promote => self.phase = Phase::Rest,
            Next::NoCanaryIsHealthy => self.take_back("no canary is healthy", now, actions),
            Next::Finish => {
                while let Some((&at, _)) = self.kept.first_key_value() {
                    self.unkeep(at, WatchEnd::Held, actions);
                }
                actions.push(Action::Finish(self.finish()));
                self.phase = Phase::Finished;
            }
        }
    }

    /// What every slot has when nobody goes on with this rollout: what is settled, what was never begun, and
    /// what was in the middle and needs a hand.
    pub fn states_when_cut_off(&self) -> Vec<SlotState> {
        let state = |place: &Place| match &place.state {
            State::Settled(state) => state.clone(),
            State::Pending => SlotState::Untouched,
            State::InHand { .. } | State::Fallen { .. } => SlotState::NeedsHand(Failure {
                error: vec!["stopped in the middle".to_owned()],
                unreachable: false,
            }),
        };
        self.places.iter().map(state).collect()
    }

    pub(super) fn finish(&self) -> Finish {
        let slots: Vec<SlotState> = self
            .places
            .iter()
            .map(|place| match &place.state {
                State::Settled(state) => state.clone(),
                State::Pending | State::InHand { .. } | State::Fallen { .. } => {
                    SlotState::Untouched
                }
            })
            .collect();
        let pending = self.first_pending(self.places.len()).is_some();
        let needs_hand = slots
            .iter()
            .any(|state| matches!(state, SlotState::NeedsHand(_)));
        let end = match self.phase {
            Phase::TakingBack { .. } if self.interrupted => RolloutEnd::Interrupted,
            Phase::TakingBack { .. } if needs_hand => RolloutEnd::RevertFailed,
            Phase::TakingBack { all: true } => RolloutEnd::Reverted,
            Phase::TakingBack { all: false } => RolloutEnd::Stopped,
            _ if pending || self.is_over_its_failures() => RolloutEnd::Interrupted,
            _ => RolloutEnd::Completed,
        };
        Finish {
            end,
            slots,
            failure: self.failure.clone(),
        }
    }

    pub(super) fn first_pending(&self, until: usize) -> Option<usize> {
        let mut places = self.places.iter().take(until);
        places.position(|place| matches!(place.state, State::Pending))
    }

    pub(super) fn is_first_deploy(&self) -> bool {
        !self
            .places
            .iter()
            .any(|place| place.replacement.has_outgoing)
    }

    pub(super) fn canaries(&self) -> usize {
        if self.is_first_deploy() {
            0
        } else {
            self.policy.canary
        }
    }

    /// How many slots may be in hand.
    pub(super) fn width(&self) -> usize {
        let goes_forward = !matches!(self.phase, Phase::TakingBack { .. });
        if goes_forward && self.is_first_deploy() {
            usize::MAX
        } else if self.policy.quorum {
            1
        } else {
            self.policy.max_parallel.max(1)
        }
    }

    pub(super) fn is_unhealthy(&self) -> bool {
        let is_unhealthy = |place: &Place| match place.state {
            State::InHand { .. } => place.failed,
            State::Fallen { .. } => true,
            State::Pending | State::Settled(_) => false,
        };
        self.places.iter().any(is_unhealthy) || self.any_kept_is_unready()
    }
}
