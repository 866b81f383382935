//! What happened, as the machine takes it.

use super::{
    gate::{Gate, Observation},
    outcome::Failure,
    slot::{Side, Slot},
    step::Step,
};

/// What the driver reports to the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The beginning; once, first.
    Begin,
    /// A step ended.
    StepEnded {
        /// Where.
        slot: Slot,
        /// Of which container.
        side: Side,
        /// Which step.
        step: Step,
        /// How.
        result: Result<(), Failure>,
    },
    /// A watched gate was looked at.
    Observed {
        /// Where.
        slot: Slot,
        /// Of which container.
        side: Side,
        /// Which gate.
        gate: Gate,
        /// What was seen.
        observation: Observation,
    },
    /// Time has passed: at [`Rollout::wakes_at`](super::Rollout::wakes_at) or later.
    Tick,
    /// The probe lost more requests than its budget allows.
    OverBudget {
        /// `4 of 1,240 requests failed, budget 0`.
        reason: String,
    },
    /// The answer to [`Action::AskPromotion`](super::Action::AskPromotion).
    Promotion {
        /// Whether the others may follow the canaries.
        granted: bool,
    },
    /// The user wants to stop: hosts in hand are finished, none is started.
    Interrupt,
}
