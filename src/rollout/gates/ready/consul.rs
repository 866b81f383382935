//! `ready.consul`: Consul's cluster is whole, or Consul reports this very container passing.

use super::container::CheckedContainer;
use crate::{
    balancers::{Registration, Rotation},
    hosts::HostError,
    model::{ConsulReady, HostAndPort},
    rollout::{
        gates::{
            observation::{holds, not_yet},
            quorum, required,
        },
        machine::{Observation, Side},
    },
    text,
};

/// Asks Consul's agent on the container's host.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    match &checked.placement.host_recipe.ready.consul {
        None => Ok(None),
        Some(ConsulReady::Leader) => quorum::check(checked.placement).await.map(Some),
        Some(ConsulReady::Service(name)) => is_passing(checked, name).await.map(Some),
    }
}

async fn is_passing(checked: &CheckedContainer<'_>, name: &str) -> Result<Observation, HostError> {
    let CheckedContainer {
        placement, side, ..
    } = *checked;
    let routing = &placement.context.routing;
    let backend = placement.backend(checked.container);
    let all = match routing.registrations(&backend).await {
        Ok(all) => all,
        Err(error) => return required::what_is_down(placement).await.ok_or(error),
    };
    let Some(registration) = least_well(&all, name) else {
        if let Some(down) = required::what_is_down(placement).await {
            return Ok(down);
        }
        let but = if all.is_empty() {
            String::new()
        } else {
            let others = text::list(all.into_iter().map(|other| other.service));
            format!(" (it is there as {others})")
        };
        let endpoint = checked.endpoint();
        return Ok(not_yet(format!(
            "Consul's agent has no `{name}` at {endpoint}{but}"
        )));
    };
    let endpoint = HostAndPort::new(backend.address(), registration.port);
    Ok(match (&registration.rotation, side) {
        // What comes back as it was before is well, even if it is out of traffic.
        (Rotation::OutByOperator(reason), Side::Old) => {
            holds(format!("someone put it into maintenance mode: {reason}"))
        }
        (Rotation::OutByOperator(reason), Side::New) => {
            not_yet(format!("someone put it into maintenance mode: {reason}"))
        }
        // It would be routed to as soon as it passes.
        (Rotation::In, _) if placement.is_held(side) => {
            placement.hold(side).await?;
            not_yet("to be kept out of traffic until the switch")
        }
        (Rotation::OutByDeploy, _) if placement.waits_for_switch(side) => {
            well(registration, name, &endpoint)
        }
        (Rotation::OutByDeploy, _) => {
            // A kept container that was in maintenance mode when it was stopped comes back in it, if its
            // service was never deregistered.
            routing.put_back(&[backend]).await?;
            not_yet("in maintenance mode")
        }
        (Rotation::In, _) => well(registration, name, &endpoint),
    })
}

fn well(registration: &Registration, name: &str, endpoint: &HostAndPort) -> Observation {
    match &registration.complaint {
        None => holds(endpoint.to_string()),
        Some(complaint) => not_yet(format!("Consul has `{name}` at {endpoint} as {complaint}")),
    }
}

/// The registration of this name that is waited for. Two ports may go by one name: then it is one that does not
/// pass yet, or that is out.
fn least_well<'r>(all: &'r [Registration], name: &str) -> Option<&'r Registration> {
    let of_name = || all.iter().filter(|it| it.service == name);
    of_name()
        .find(|it| it.complaint.is_some())
        .or_else(|| of_name().find(|it| it.rotation != Rotation::In))
        .or_else(|| of_name().next())
}
