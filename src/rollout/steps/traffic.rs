//! Taking containers out of traffic, and putting them back.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    balancers::Switch,
    event::EventKind,
    hosts::HostError,
    rollout::{machine::Side, slot::Placement},
    text,
};

/// How long a container that has started is given to be registered, and the pause between two looks.
const REGISTERS: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(30);

/// Takes the containers of one side out of traffic.
pub(super) async fn take_out(placement: &Placement, side: Side) -> Result<(), HostError> {
    let context = &placement.context;
    // Docker may have restarted it since it was looked at, and then it has other ports.
    placement.inspect_again(side).await?;
    let reason = placement.reason(side);
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

/// Tells balancers of the containers of one side, which are ready.
pub(super) async fn put_in(placement: &Placement, side: Side) -> Result<(), HostError> {
    let backends = placement.backends(side).await;
    placement.context.routing.put_in(&backends).await
}

/// Takes note that the containers of one side have stopped. No request depends on it.
pub(super) async fn forget(placement: &Placement, side: Side) {
    let backends = placement.backends(side).await;
    let context = &placement.context;
    if let Err(error) = context.routing.forget(&backends).await {
        context.events.send(EventKind::Warning {
            host: Some(placement.reached.name().to_string()),
            message: text::chain(&error).join(": "),
            hint: None,
        });
    }
}

/// Puts the containers of one side back into traffic, unless an operator keeps them out.
pub(super) async fn put_back(placement: &Placement, side: Side) -> Result<(), HostError> {
    let backends = placement.backends(side).await;
    placement.context.routing.put_back(&backends).await
}

/// Keeps the containers of one side, which have started just now, out of traffic until the switch: as soon as balancers
/// could learn of them. What is not registered by then is held when it is looked at for being ready.
pub(super) async fn hold(placement: &Placement, side: Side) -> Result<(), HostError> {
    let began = Instant::now();
    while !placement.hold(side).await? && began.elapsed() < REGISTERS {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Has requests go to the containers of one side. What has one list for all slots is switched for all of them, by
/// whichever slot comes first.
pub(super) async fn switch(
    placement: &Placement,
    all: &[Arc<Placement>],
    side: Side,
) -> Result<(), HostError> {
    let other = match side {
        Side::New => Side::Old,
        Side::Old => Side::New,
    };
    placement.note_switch(side, false);
    let (mut come, mut go) = (Vec::new(), Vec::new());
    for slot in all {
        come.extend(slot.backends(side).await.into_iter().filter(|it| it.is_up));
        // What nothing replaces stays, where it ran before.
        let stays = side == Side::Old && slot.outgoing().is_none();
        let ran = slot.plan.incoming.as_ref().is_some_and(|it| it.runs);
        if !(stays && ran) {
            go.extend(slot.backends(other).await);
        }
    }
    let own = placement.backends(side).await;
    let switch = Switch { come, go };
    placement.context.routing.switch(&own, &switch).await
}

/// Takes away what balancers can still learn of the containers of one side.
pub(super) async fn deregister(placement: &Placement, side: Side) -> Result<(), HostError> {
    let backends = placement.backends(side).await;
    placement.context.routing.deregister(&backends).await
}
