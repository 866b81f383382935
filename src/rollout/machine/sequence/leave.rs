//! The stages of the outgoing container: drained, stopped, gone from Consul, kept.

use std::time::Duration;

use super::{
    drain,
    stage::{Await, Limit, OnTimeout, Stage},
};
use crate::rollout::machine::{
    gate::{Gate, Purpose},
    policy::Policy,
    slot::Side,
    step::Step,
};

/// The stages after which the container of one side is stopped and kept for a rollback.
///
/// `successor` is the container that serves already in the place of the one that leaves; where `is_last`, nothing
/// serves afterwards, here or elsewhere.
pub(super) fn leave(
    policy: &Policy,
    side: Side,
    successor: Option<Side>,
    is_last: bool,
) -> Vec<Stage> {
    let mut stages = leave_traffic(policy, side, is_last);
    // The point of no return. A drain can take minutes, and nobody has looked at the successor meanwhile;
    // where nothing lies between, it was found ready just now.
    let successor = successor.filter(|_| !stages.is_empty());
    stages.extend(successor.map(|side| still_ready(policy, side)));
    stages.extend(stop(policy, side));
    stages
}

/// The stages after which the container of one side has no request left.
pub(super) fn leave_traffic(policy: &Policy, side: Side, is_last: bool) -> Vec<Stage> {
    let mut stages = Vec::new();
    if policy.drain.is_some() || policy.registered {
        stages.push(Stage::Perform(side, Step::EnterMaintenance));
    }
    if let Some(drain_policy) = &policy.drain {
        let leave_deadline = policy.leave_deadline;
        stages.extend(drain::drain(drain_policy, side, leave_deadline, is_last));
    }
    stages
}

/// One look whether the container of one side is ready as it was before.
pub(super) fn still_ready(policy: &Policy, side: Side) -> Stage {
    Stage::Await(Await {
        side,
        gate: Gate::Ready,
        purpose: Purpose::Confirm,
        hold: Duration::ZERO,
        limit: Limit::FromHere(policy.leave_deadline),
        late: OnTimeout::Fail,
    })
}

/// The stages after which the container of one side is stopped, gone from Consul and kept.
pub(super) fn stop(policy: &Policy, side: Side) -> Vec<Stage> {
    let mut stages = vec![Stage::Perform(side, Step::Stop)];
    if policy.registered {
        let limit = Limit::FromHere(policy.leave_deadline);
        let deregister = OnTimeout::Perform(Step::Deregister);
        stages.push(Stage::wait(side, Gate::Gone, limit, deregister));
    }
    stages.push(Stage::Perform(side, Step::Retire));
    stages
}
