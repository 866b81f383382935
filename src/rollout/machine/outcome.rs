//! How a rollout and each of its slots ended.

use super::slot::Slot;

/// Why a step or gate failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The fact, then its causes.
    pub error: Vec<String>,
    /// Whether the host could not be reached, so that nothing can be undone there.
    pub unreachable: bool,
}

/// What a slot has at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing was performed here: what was there before is there still.
    Untouched,
    /// The new container serves.
    Updated,
    /// It was changed and has its old container back.
    Reverted,
    /// It could not be brought to either state, or its host is lost and nobody knows.
    NeedsHand(Failure),
}

/// How a rollout ended as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutEnd {
    /// Every slot is updated (but for failures within `max_failures`).
    Completed,
    /// It failed and stopped; hosts in hand were returned, finished ones stay on the new version.
    Stopped,
    /// It failed, and every slot is back on what it had before.
    Reverted,
    /// It failed, and so did taking it back: at least one slot needs a hand.
    RevertFailed,
    /// The user stopped it: slots in hand were finished or returned, no other was started.
    Interrupted,
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// How.
    pub end: RolloutEnd,
    /// The state of every slot, in the order of the list.
    pub slots: Vec<SlotState>,
    /// Why it failed: the first slot's failure with that slot, or what ended the rollout as a whole. Also
    /// there when it completed with failures within `max_failures`.
    pub failure: Option<(Option<Slot>, Failure)>,
}
