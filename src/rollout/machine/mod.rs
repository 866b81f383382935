//! The rollout of one recipe as a state machine: no I/O, no clock.
//!
//! [`Rollout::step`] takes one [`Input`] and the time since the rollout began, and returns what is to be
//! done next. The executor performs [`Action`]s and reports back; it decides nothing.
//!
//! This file has the words. `sequence` has the order of the stages of one replacement, `run` takes one
//! slot through them, `scheduler` decides which slot may go, and what a failure means for the others.

mod failure;
mod run;
mod scheduler;
mod sequence;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod transcripts;

pub use scheduler::Rollout;

use std::time::Duration;

use crate::model::{HostName, Order};

/// One place of a container on a host: what one replacement is about. An index into the list that the
/// rollout was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// What is to happen in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The host the slot is on.
    pub host: HostName,
    /// Whether a container is to run here afterwards.
    pub has_incoming: bool,
    /// Whether that one runs already and is only put in order. Going back does not stop it, unless an old one
    /// serves in its place.
    pub incoming_runs: bool,
    /// Whether a container runs (or was kept) here before.
    pub has_outgoing: bool,
}

/// Which of a slot's two containers an action is about. A revert is the same sequence with the two in
/// each other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one this rollout brings up.
    New,
    /// The one that was here before.
    Old,
}

/// Something that the executor does once and that ends by itself, well or badly. Each is idempotent: a
/// revert may ask for what is already so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The container runs, out of maintenance: made if it is not there, else started. The recipe's
    /// `before` and `after` commands belong to this step.
    Start,
    /// Its services are in Consul's maintenance mode, so that balancers leave it.
    EnterMaintenance,
    /// `docker stop` with its timeout; fine if it is not there.
    Stop,
    /// What Consul still has of it is deregistered through the agent that owns it.
    Deregister,
    /// The stopped container is kept for a rollback: restart policy off.
    Retire,
}

/// Something that the executor polls until it holds, fails for good, or is no longer watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// Consul's cluster has a leader and every peer alive, so that one server may go.
    Quorum,
    /// While one of Consul's servers is down, the others have a leader.
    Leader,
    /// The container passes every `[ready]` check.
    Ready,
    /// Every balancer routes to it.
    Routed,
    /// No balancer routes to it.
    Unrouted,
    /// Its connections have ended.
    Idle,
    /// Consul no longer has it.
    Gone,
}

/// Why a gate is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The sequence of the slot goes on when it holds: soon, so it is looked at often.
    Reach,
    /// It held before and must hold still, before the other container is stopped for good.
    Confirm,
    /// The slot is done, and stays so only while this holds: until the rollout ends, so it is looked at
    /// from time to time.
    Keep,
}

/// What one look at a [`Gate`] saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was seen, for people: `critical: GET / returned 500`.
    pub detail: String,
}

/// Whether a gate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds now.
    Holds,
    /// It does not hold yet.
    NotYet,
    /// It can never hold: the container has exited, the host is gone.
    Never,
}

/// Why a step or gate failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The fact, then its causes.
    pub error: Vec<String>,
    /// Whether the host could not be reached, so that nothing can be undone there.
    pub unreachable: bool,
}

/// What the executor tells the rollout.
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
    /// Time has passed: at [`Rollout::wakes_at`] or later.
    Tick,
    /// The probe lost more requests than its budget allows.
    OverBudget {
        /// `4 of 1,240 requests failed, budget 0`.
        reason: String,
    },
    /// The answer to [`Action::AskPromotion`].
    Promotion {
        /// Whether the others may follow the canaries.
        granted: bool,
    },
    /// The user wants to stop: hosts in hand are finished, none is started.
    Interrupt,
}

/// What the executor does for the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Perform a step and report [`Input::StepEnded`].
    Perform {
        /// Where.
        slot: Slot,
        /// On which container.
        side: Side,
        /// Which step.
        step: Step,
    },
    /// Look at a gate over and over and report each [`Input::Observed`], until [`Action::Unwatch`].
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
    /// The canaries are healthy: ask whether the others may follow.
    AskPromotion,
    /// The rollout has failed and now takes back what it did: the slots in hand, and with `auto_revert`
    /// the finished ones. At most once, and not where nothing was done.
    Reverting {
        /// The fact.
        reason: String,
    },
    /// Nothing is left to do. Always the last action, once.
    Finish(Finish),
}

/// What came of a watched gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEnd {
    /// It held for as long as it must.
    Held,
    /// It did not, and the rollout goes on all the same (connections that outlast the drain's deadline).
    GaveUp,
    /// It did not, and that is a failure.
    Failed,
    /// It no longer matters.
    Abandoned,
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

/// How a rollout is to be done, resolved for its number of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, and none excludes another"
)]
pub struct Policy {
    /// Which container comes first.
    pub order: Order,
    /// How many slots are in hand at once; at least 1.
    pub max_parallel: usize,
    /// How many slots go first on their own; 0 for none.
    pub canary: usize,
    /// Whether the others follow without a question.
    pub auto_promote: bool,
    /// How long [`Gate::Ready`] must hold without a break.
    pub min_healthy_time: Duration,
    /// From the moment a slot's `Start` is asked for to ready and routed. Also how long an updated slot may
    /// be without being ready before it has failed after all.
    pub healthy_deadline: Duration,
    /// The longest without another slot becoming healthy, while one is waited for. It moves on with each
    /// that does, and stands still during a promotion's question, a drain and the return of a failed slot.
    pub progress_deadline: Duration,
    /// Whether a failure takes back what was done in every slot.
    pub auto_revert: bool,
    /// How many slots may fail before the rollout stops.
    pub max_failures: usize,
    /// How long the outgoing container is given to leave the balancers and Consul, each.
    pub leave_deadline: Duration,
    /// Whether [`Gate::Quorum`] stands before each replacement of an old container. It also means one
    /// slot at a time, whatever `max_parallel` says.
    pub quorum: bool,
    /// Whether traffic comes through balancers: without, the gates `Routed`, `Unrouted` and `Idle` fall
    /// away.
    pub drain: Option<DrainPolicy>,
    /// Whether Consul has the containers: without, `Gone` and `Deregister` fall away. The step
    /// `EnterMaintenance` falls away when there is neither this nor a drain.
    pub registered: bool,
}

/// How an outgoing container is drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainPolicy {
    /// A pause after the balancers have left it.
    pub wait: Duration,
    /// The longest to wait for its connections.
    pub timeout: Duration,
}
