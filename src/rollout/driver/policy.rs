//! How a recipe's rollout is to be done, in the machine's words.

use std::time::Duration;

use crate::{
    model::{Order, Recipe, RolloutPolicy},
    rollout::machine::{DrainPolicy, Policy},
};

/// The longest that a container that has left is expected to stay with balancers and in Consul.
const LEAVE: Duration = Duration::from_secs(30);

/// How a recipe's rollout over so many slots is to be done.
pub fn policy(recipe: &Recipe, order: Order, slots: usize) -> Policy {
    let RolloutPolicy {
        order: _, // as the plan has it, which knows the container
        max_parallel,
        canary,
        canary_weight,
        canary_time,
        auto_promote,
        min_healthy_time,
        healthy_deadline,
        progress_deadline,
        auto_revert,
        max_failures,
    } = recipe.rollout;
    Policy {
        order,
        max_parallel: max_parallel.of(slots),
        canary: usize::from(canary),
        auto_promote: auto_promote && canary_time.is_zero() && canary_weight.is_none(),
        weighs_canaries: canary_weight.is_some(),
        min_healthy_time,
        healthy_deadline,
        progress_deadline,
        auto_revert,
        max_failures: usize::from(max_failures),
        leave_deadline: LEAVE,
        quorum: recipe.is_consul(),
        drain: recipe.drain.as_ref().map(|drain| DrainPolicy {
            wait: drain.wait,
            timeout: drain.timeout,
            is_told: drain.is_told,
        }),
        registered: recipe.is_registered(),
        registers: recipe.registers(),
    }
    .settled()
}
