//! The gates `Routed` and `Unrouted`: every balancer routes to the containers, or none does any more.

use futures::StreamExt;

use super::observation::{could_not_look, holds, not_yet, reason};
use crate::{
    balancers::{Backend, Routes},
    facts::routes,
    hosts::HostError,
    model::{HostAndPort, HostName},
    rollout::{
        machine::{Observation, Side},
        slot::Placement,
    },
};

/// Looks whether every balancer routes to the containers of one side.
pub(super) async fn check(placement: &Placement, side: Side) -> Result<Observation, HostError> {
    let backends = placement.backends(side).await;
    let replaced = match side {
        Side::New => placement.backends(Side::Old).await,
        Side::Old => placement.backends(Side::New).await,
    };
    let routing = &placement.context.routing;
    if side == Side::Old && routing.is_out_by_operator(&backends).await? {
        return Ok(holds("someone put it into maintenance mode"));
    }
    let replaced: Vec<_> = replaced.into_iter().flat_map(|it| it.ports).collect();
    // A balancer whose host is gone must not keep an old container from being brought back.
    let may_be_gone = side == Side::Old;
    let missing = |host: &HostName, printed: &str| {
        let missing = |backend: &Backend| {
            routes::missing(printed, backend.address(), &backend.ports, &replaced)
        };
        let missing = backends.iter().find_map(missing)?;
        Some(format!(
            "the balancer on `{host}` does not route to {missing}"
        ))
    };
    Ok(look(placement, may_be_gone, missing).await)
}

/// Looks whether no balancer routes to the containers of one side.
pub(super) async fn check_unrouted(
    placement: &Placement,
    side: Side,
) -> Result<Observation, HostError> {
    let backends = placement.backends(side).await;
    let remaining = |host: &HostName, printed: &str| {
        let mut addresses = backends.iter().flat_map(|backend| {
            let ports = backend.ports.iter();
            ports.map(|(_, port)| (backend.address(), *port))
        });
        let (address, port) =
            addresses.find(|(address, port)| routes::routes_to(printed, address, *port))?;
        let endpoint = HostAndPort::new(address, port);
        Some(format!(
            "the balancer on `{host}` still routes to {endpoint}"
        ))
    };
    // A balancer whose host is gone routes nothing.
    Ok(look(placement, true, remaining).await)
}

/// Asks balancer after balancer until `complaint` finds something in what one routes to.
async fn look(
    placement: &Placement,
    may_be_gone: bool,
    complaint: impl Fn(&HostName, &str) -> Option<String>,
) -> Observation {
    let mut balancers = placement.context.routing.routes();
    while let Some((host, routes)) = balancers.next().await {
        match routes {
            Routes::Failed(error) if error.is_unreachable() && may_be_gone => {}
            Routes::Failed(error) => return could_not_look(&error),
            Routes::Refused(said) => {
                let said = reason(&said);
                return not_yet(format!("cannot ask the balancer on `{host}`: {said}"));
            }
            Routes::Printed(printed) => {
                if let Some(complaint) = complaint(&host, &printed) {
                    return not_yet(complaint);
                }
            }
        }
    }
    holds("")
}
