//! Taking containers out of traffic, and putting them back.

use crate::{
    event::EventKind,
    hosts::HostError,
    rollout::{machine::Side, slot::Placement},
};

/// Takes the containers of one side out of traffic.
pub(super) async fn take_out(placement: &Placement, side: Side) -> Result<(), HostError> {
    let context = &placement.context;
    // Docker may have restarted it since it was looked at, and then it has other ports.
    placement.inspect_again(side).await?;
    let reason = match side {
        Side::Old => format!(
            "{}: replaced by {}",
            context.release,
            placement.names(Side::New)
        ),
        Side::New => format!("{}: reverted", context.release),
    };
    let mut backends = placement.backends(side).await;
    for message in context.routing.take_out(&mut backends, &reason).await? {
        context.events.send(EventKind::Warning {
            host: Some(placement.reached.name().to_string()),
            message,
            hint: None,
        });
    }
    placement.keep_service_ids(side, backends).await;
    Ok(())
}

/// Puts the containers of one side back into traffic, unless an operator keeps them out.
pub(super) async fn put_back(placement: &Placement, side: Side) -> Result<(), HostError> {
    let backends = placement.backends(side).await;
    placement.context.routing.put_back(&backends).await
}

/// Takes away what balancers can still learn of the containers of one side.
pub(super) async fn deregister(placement: &Placement, side: Side) -> Result<(), HostError> {
    let backends = placement.backends(side).await;
    placement.context.routing.deregister(&backends).await
}
