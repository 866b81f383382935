//! The stages of the incoming container: started, ready, routed to.

use std::time::Duration;

use super::stage::{Await, Limit, OnTimeout, Stage};
use crate::rollout::machine::{
    gate::{Gate, Purpose},
    policy::Policy,
    slot::Side,
    step::Step,
};

/// The stages after which the container of one side serves.
pub(super) fn arrive(policy: &Policy, side: Side) -> Vec<Stage> {
    until_it_serves(policy, side, Step::Start, policy.min_healthy_time)
}

/// The stages after which the container of one side is known to serve still. It did before, so one look is
/// enough.
pub(super) fn resume(policy: &Policy, side: Side) -> Vec<Stage> {
    until_it_serves(policy, side, Step::Resume, Duration::ZERO)
}

fn until_it_serves(policy: &Policy, side: Side, first: Step, hold: Duration) -> Vec<Stage> {
    let limit = Limit::FromStart(policy.healthy_deadline);
    let mut stages = until_it_is_ready(policy, side, first, hold).to_vec();
    let is_told = policy.drain.as_ref().is_some_and(|drain| drain.is_told);
    if is_told || policy.registers {
        stages.push(Stage::Perform(side, Step::EnterRotation));
    }
    if policy.drain.is_some() {
        stages.push(Stage::wait(side, Gate::Routed, limit, OnTimeout::Fail));
    }
    stages.push(Stage::Serves);
    stages
}

/// The stages after which the container of one side is ready.
pub(super) fn until_it_is_ready(
    policy: &Policy,
    side: Side,
    first: Step,
    hold: Duration,
) -> [Stage; 2] {
    [
        Stage::Perform(side, first),
        Stage::Await(Await {
            side,
            gate: Gate::Ready,
            purpose: Purpose::Reach,
            hold,
            limit: Limit::FromStart(policy.healthy_deadline),
            late: OnTimeout::Fail,
        }),
    ]
}
