//! What is waited for, and what a look at it saw.

/// Something that the driver polls until it holds, fails for good, or is no longer watched.
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
    Monitor,
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
