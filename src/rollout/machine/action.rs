//! What the machine asks for.

use super::{
    gate::{Gate, Purpose, WatchEnd},
    outcome::Finish,
    slot::{Side, Slot},
    step::Step,
};

/// What the driver does for the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Perform a step and report [`Input::StepEnded`](super::Input::StepEnded).
    Perform {
        /// Where.
        slot: Slot,
        /// On which container.
        side: Side,
        /// Which step.
        step: Step,
    },
    /// Look at a gate over and over and report each [`Input::Observed`](super::Input::Observed), until [`Action::Unwatch`].
    Watch {
        /// Where.
        slot: Slot,
        /// Of which container.
        side: Side,
        /// Which gate.
        gate: Gate,
        /// Why.
        purpose: Purpose,
    },
    /// Look at it no more. Later observations of it are ignored.
    Unwatch {
        /// Where.
        slot: Slot,
        /// Of which container.
        side: Side,
        /// Which gate.
        gate: Gate,
        /// What came of it.
        end: WatchEnd,
    },
    /// The canaries are healthy: ask whether the others may follow, or see to what comes before that.
    AskPromotion {
        /// Whether there are others.
        others: bool,
    },
    /// The rollout has failed and now takes back what it did: the slots in hand, and with `auto_revert`
    /// the finished ones. At most once, and not where nothing was done.
    Reverting {
        /// The fact.
        reason: String,
    },
    /// Nothing is left to do. Always the last action, once.
    Finish(Finish),
}
