//! Which file looks at which gate.

use super::{gone, idle, leader, observation::could_not_look, quorum, ready, routed};
use crate::rollout::{
    machine::{Gate, Observation, Side},
    slot::Placement,
};

/// Looks once at a gate of one side of a slot.
pub async fn check(placement: &Placement, side: Side, gate: Gate) -> Observation {
    let seen = match gate {
        Gate::Quorum => quorum::check(placement).await,
        Gate::Leader => leader::check(placement).await,
        Gate::Ready => ready::check(placement, side).await,
        Gate::Routed => routed::check(placement, side).await,
        Gate::Unrouted => routed::check_unrouted(placement, side).await,
        Gate::Idle => idle::check(placement, side).await,
        Gate::Gone => gone::check(placement, side).await,
    };
    seen.unwrap_or_else(|error| could_not_look(&error))
}
