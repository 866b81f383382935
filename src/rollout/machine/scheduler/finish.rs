//! How the rollout ended, as a whole and in each slot.

use super::state::{Phase, Rollout, State};
use crate::rollout::machine::outcome::{Finish, RolloutEnd, SlotState};

impl Rollout {
    pub(super) fn finish(&self) -> Finish {
        let slots: Vec<SlotState> = self
            .places
            .iter()
            .map(|place| match &place.state {
                State::Settled(state) => state.clone(),
                State::Pending | State::InProgress { .. } | State::Unhealthy { .. } => {
                    SlotState::Untouched
                }
            })
            .collect();
        let pending = self.first_pending(self.places.len()).is_some();
        let needs_hand = slots
            .iter()
            .any(|state| matches!(state, SlotState::NeedsHand(_)));
        let end = match self.phase {
            Phase::Reverting { .. } if self.interrupted => RolloutEnd::Interrupted,
            Phase::Reverting { .. } if needs_hand => RolloutEnd::RevertFailed,
            Phase::Reverting { all: true } => RolloutEnd::Reverted,
            Phase::Reverting { all: false } => RolloutEnd::Stopped,
            _ if pending || self.is_over_max_failures() => RolloutEnd::Interrupted,
            _ => RolloutEnd::Completed,
        };
        Finish {
            end,
            slots,
            failure: self.failure.clone(),
        }
    }
}
