//! The stages of a drain: the balancers leave the container, then its connections end or are given up.

use std::time::Duration;

use super::stage::{Limit, OnTimeout, Stage};
use crate::rollout::machine::{gate::Gate, policy::DrainPolicy, slot::Side};

/// The stages that drain the container of one side. The balancers have `leave_deadline` to leave it.
pub(super) fn drain(drain: &DrainPolicy, side: Side, leave_deadline: Duration) -> [Stage; 3] {
    let (leave, timeout) = (
        Limit::FromHere(leave_deadline),
        Limit::FromHere(drain.timeout),
    );
    [
        // A balancer that still routes to it would lose the requests once it is stopped, so this gate
        // cannot be given up.
        Stage::wait(side, Gate::Unrouted, leave, OnTimeout::Fail),
        Stage::Pause(drain.wait),
        // Connections that outlast the drain's timeout are given up here: some never end.
        Stage::wait(side, Gate::Idle, timeout, OnTimeout::Continue),
    ]
}
