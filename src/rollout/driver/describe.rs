//! Steps, gates and failures as they are shown.

use crate::rollout::{
    machine::{Failure, Gate, Purpose, Side, Step},
    slot::Placement,
};

/// A step as it is shown.
pub(super) fn describe_step(placement: &Placement, side: Side, step: Step) -> String {
    let names = placement.names(side);
    match step {
        Step::Start => format!("start {names}"),
        Step::StartHeld => format!("start {names}, out of traffic until the switch"),
        Step::Switch if names.is_empty() => "switch requests, as all others do".to_owned(),
        Step::Switch => format!("switch requests to {names}"),
        Step::OutlastStop => format!("check that no earlier stop of {names} is under way"),
        Step::Resume => format!("check that {names} still runs"),
        Step::EnterRotation => {
            let recipe = &placement.context.recipe;
            let is_told = recipe.drain.as_ref().is_some_and(|drain| drain.is_told);
            match (recipe.registers(), is_told) {
                (true, true) => format!("register {names} in Consul and tell the balancers"),
                (true, false) => format!("register {names} in Consul"),
                (false, _) => format!("tell the balancers of {names}"),
            }
        }
        Step::EnterMaintenance => {
            let drain = placement.context.recipe.drain.as_ref();
            if drain.is_some_and(|drain| !drain.through_consul && !drain.is_told) {
                format!("have {names} leave")
            } else if drain.is_some_and(|drain| !drain.through_consul) {
                format!("tell the balancers to leave {names}")
            } else {
                format!("put {names} into maintenance mode")
            }
        }
        Step::Stop => format!("stop {names}"),
        Step::Deregister => format!("deregister {names}"),
        Step::Retire => format!("keep {names} (stopped) for rollback"),
    }
}

/// A gate as it is shown while it is watched.
pub(super) fn describe_gate(
    placement: &Placement,
    side: Side,
    gate: Gate,
    purpose: Purpose,
) -> String {
    match purpose {
        Purpose::Reach => format!("wait for {}", what_a_gate_waits_for(placement, side, gate)),
        Purpose::Confirm => format!("check that {} is still ready", placement.names(side)),
        Purpose::Monitor => format!("check that {} stays ready", placement.names(side)),
    }
}

/// What a gate waits for, as it is shown.
pub(super) fn what_a_gate_waits_for(placement: &Placement, side: Side, gate: Gate) -> String {
    let names = placement.names(side);
    match gate {
        Gate::Quorum => "every Consul server to be there".to_owned(),
        Gate::Leader => "the other Consul servers to have a leader".to_owned(),
        Gate::Ready => format!("{names} to be ready"),
        Gate::Routed => format!("the balancers to route to {names}"),
        Gate::Unrouted => format!("the balancers to stop routing to {names}"),
        Gate::Idle => format!("the connections of {names} to end"),
        Gate::Gone => format!("Consul to drop {names}"),
    }
}

/// The first line of a failure.
pub fn headline(failure: &Failure) -> String {
    failure
        .error
        .first()
        .cloned()
        .unwrap_or_else(|| "it failed".to_owned())
}
