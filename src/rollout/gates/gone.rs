//! The gate `Gone`: Consul no longer has the containers.

use super::observation::{holds, not_yet};
use crate::{
    hosts::HostError,
    rollout::{
        machine::{Observation, Side},
        slot::Placement,
    },
};

/// Looks whether balancers can no longer learn of the containers of one side.
pub(super) async fn check(placement: &Placement, side: Side) -> Result<Observation, HostError> {
    let routing = &placement.context.routing;
    for backend in placement.backends(side).await {
        if let Some(left) = routing.registrations(&backend).await?.first() {
            return Ok(not_yet(format!("Consul still has `{}`", left.id)));
        }
    }
    Ok(holds(""))
}
