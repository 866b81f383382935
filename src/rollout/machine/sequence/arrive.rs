//! The stages of the incoming container: started, ready, routed to.

use super::stage::{Await, Late, Limit, Stage};
use crate::rollout::machine::{
    gate::{Gate, Purpose},
    policy::Policy,
    slot::Side,
    step::Step,
};

/// The stages after which the container of one side serves.
pub(super) fn arrive(policy: &Policy, side: Side) -> Vec<Stage> {
    let limit = Limit::FromStart(policy.healthy_deadline);
    let mut stages = vec![
        Stage::Perform(side, Step::Start),
        Stage::Await(Await {
            side,
            gate: Gate::Ready,
            purpose: Purpose::Reach,
            hold: policy.min_healthy_time,
            limit,
            late: Late::Fail,
        }),
    ];
    if policy.drain.is_some() {
        stages.push(Stage::wait(side, Gate::Routed, limit, Late::Fail));
    }
    stages.push(Stage::Serves);
    stages
}
