//! The stages of a drain: the balancers leave the container, then its connections end or are given up.

use std::time::Duration;

use super::stage::{Limit, OnTimeout, Stage};
use crate::rollout::machine::{gate::Gate, policy::DrainPolicy, slot::Side};

/// How long the balancers are given to leave the last container of all. One that keeps it has no other.
const LAST: Duration = Duration::from_secs(5);

/// The stages that drain the container of one side. The balancers have `leave_deadline` to leave it.
pub(super) fn drain(
    drain: &DrainPolicy,
    side: Side,
    leave_deadline: Duration,
    is_last: bool,
) -> [Stage; 3] {
    // A balancer that still routes to it would lose the requests once it is stopped, so this gate cannot be
    // given up; but where nothing else serves, they are lost wherever they go.
    let (leave, late) = if is_last {
        (LAST.min(leave_deadline), OnTimeout::Continue)
    } else {
        (leave_deadline, OnTimeout::Fail)
    };
    let timeout = Limit::FromHere(drain.timeout);
    [
        Stage::wait(side, Gate::Unrouted, Limit::FromHere(leave), late),
        Stage::Pause(drain.wait),
        // Connections that outlast the drain's timeout are given up here: some never end.
        Stage::wait(side, Gate::Idle, timeout, OnTimeout::Continue),
    ]
}
