//! What a rollout knows of its slots and of itself.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    model::HostName,
    rollout::machine::{
        gate::Observation,
        outcome::{Failure, SlotState},
        policy::Policy,
        run::Run,
        slot::{Replacement, Slot},
    },
};

/// The rollout of one recipe.
///
/// Order: the canaries, a promotion, then the rest, never more than `max_parallel` in progress. A first deploy
/// (no slot has an outgoing container) has nothing to protect, so all its slots go at once; Consul's
/// bootstrap needs that.
///
/// Failure: a slot that fails is returned to its old container at once, and no slot starts meanwhile. More
/// of them than `max_failures`, a passed `progress_deadline`, an exceeded budget, a refused promotion or
/// canaries that all failed end the rollout: slots in progress are returned and, with `auto_revert`, the
/// updated ones too, newest first. A host that cannot be reached fails with all its slots, and nothing
/// more is done there.
///
/// Blue-green: all slots go at once and wait for each other, and the first failure takes all of them back.
///
/// An updated slot is monitored until the rollout ends. If its container dies, or is not ready for
/// `healthy_deadline`, the slot has failed after all. Until then no slot starts and the rollout does not
/// end.
#[derive(Debug, Clone)]
pub struct Rollout {
    pub(super) policy: Policy,
    pub(super) places: Vec<Place>,
    pub(super) phase: Phase,
    /// The updated slots in the order in which they became so; a revert takes them from the end.
    pub(super) updated: Vec<usize>,
    /// The watches of the updated slots.
    pub(super) monitored: BTreeMap<usize, Monitor>,
    /// Since when nothing is in progress, and all that the rollout waits for is that updated slots are ready.
    pub(super) stalled_since: Option<Duration>,
    /// The hosts that could not be reached, with the failure that told so.
    pub(super) lost: BTreeMap<HostName, Failure>,
    pub(super) interrupted: bool,
    /// When a slot last became healthy, or one was started while no other was waited for.
    pub(super) last_progress: Duration,
    pub(super) failure: Option<(Option<Slot>, Failure)>,
}

/// A slot and what became of it so far.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) replacement: Replacement,
    pub(super) state: State,
    /// Whether it counts against `max_failures`.
    pub(super) failed: bool,
}

/// How far a slot has come.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not begun.
    Pending,
    /// Its container is being replaced, or returned.
    InProgress { run: Run, direction: Direction },
    /// It was updated, and its new container has failed since: it is to be returned.
    Unhealthy {
        /// Whether it can never be ready again; else it has not been for too long.
        exited: bool,
    },
    /// Nothing more is done here, unless all is reverted.
    Settled(SlotState),
}

/// Which container a slot in progress is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the new container.
    Forward,
    /// Still in a step towards the new container; it turns back when that ends.
    Recalled,
    /// To the old container.
    Back,
}

/// How far the rollout has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before [`Input::Begin`](crate::rollout::machine::Input::Begin).
    Waiting {
        /// Whether the slots are updated already and are to be reverted.
        revert: bool,
    },
    /// The canaries are updated.
    Canaries,
    /// The question is asked.
    Promotion,
    /// All others are updated.
    Rest,
    /// It has failed.
    Reverting {
        /// Whether updated slots are reverted too, or only those in progress.
        all: bool,
    },
    /// [`Action::Finish`](crate::rollout::machine::Action::Finish) was returned.
    Finished,
}

impl Phase {
    pub(super) fn goes_forward(self) -> bool {
        matches!(self, Self::Canaries | Self::Promotion | Self::Rest)
    }
}

/// The watch of one updated slot.
#[derive(Debug, Clone)]
pub(super) struct Monitor {
    pub(super) last_seen: Option<Observation>,
    /// Since when it is not known to be ready: at first, since it was last seen in progress.
    pub(super) unready_since: Option<Duration>,
}

impl Rollout {
    /// A rollout that brings every slot to its new container.
    pub fn new(policy: Policy, replacements: Vec<Replacement>) -> Self {
        Self::with(policy, replacements, false)
    }

    /// A rollout whose slots are all updated already and are to be reverted, the last first: for when a
    /// later recipe of the same deploy has failed. It ends `RolloutEnd::Reverted` or
    /// `RolloutEnd::RevertFailed`, and an interrupt does not stop it.
    pub fn revert(policy: Policy, replacements: Vec<Replacement>) -> Self {
        Self::with(policy, replacements, true)
    }

    fn with(policy: Policy, replacements: Vec<Replacement>, revert: bool) -> Self {
        let state = if revert {
            State::Settled(SlotState::Updated)
        } else {
            State::Pending
        };
        let updated = if revert {
            (0..replacements.len()).collect()
        } else {
            Vec::new()
        };
        let place = |replacement| Place {
            replacement,
            state: state.clone(),
            failed: false,
        };
        Self {
            policy: policy.settled(),
            places: replacements.into_iter().map(place).collect(),
            phase: Phase::Waiting { revert },
            updated,
            monitored: BTreeMap::new(),
            stalled_since: None,
            lost: BTreeMap::new(),
            interrupted: false,
            last_progress: Duration::ZERO,
            failure: None,
        }
    }
}
