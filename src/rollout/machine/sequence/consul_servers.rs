//! The stages that only Consul's own servers have, so that their cluster keeps its quorum.

use super::stage::{Limit, OnTimeout, Stage};
use crate::rollout::machine::{gate::Gate, policy::Policy, slot::Side};

/// A leader that is stopped and comes back before the others have a new one can be elected again at once,
/// before it has read its own log. For a moment it then answers with services of long ago, and balancers
/// follow it. So it comes back to a cluster that has a leader. Without one in time, its vote is what is
/// missing.
pub(super) fn leader(policy: &Policy, side: Side) -> Stage {
    let limit = Limit::FromHere(policy.leave_deadline);
    Stage::wait(side, Gate::Leader, limit, OnTimeout::Continue)
}

/// A server may go only while every other is there.
pub(super) fn quorum(policy: &Policy, side: Side) -> Stage {
    let limit = Limit::FromHere(policy.leave_deadline);
    Stage::wait(side, Gate::Quorum, limit, OnTimeout::Fail)
}
