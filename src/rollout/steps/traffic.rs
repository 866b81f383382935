//! Taking containers out of traffic, and putting them back.

use crate::{
    event::EventKind,
    hosts::HostError,
    rollout::{machine::Side, slot::Placement},
    text,
};

/// Takes the containers of one side out of traffic.
pub(super) async fn take_out(placement: &Placement, side: Side) -> Result<(), HostError> {
    let context = &placement.context;
    // Docker may have restarted it since it was looked at, and then it has other ports.
    placement.inspect_again(side).await?;
    let reason = reason(placement, side);
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

/// The reason that operators find in Consul: which release of what, whose it is, and what it does here.
fn reason(placement: &Placement, side: Side) -> String {
    let context = &placement.context;
    let new = placement.names(Side::New);
    let does = match side {
        Side::Old if new.is_empty() => "removed".to_owned(),
        Side::Old => format!("replaced by {new}"),
        Side::New => "reverted".to_owned(),
    };
    format!(
        "{} of {} in {} by {}: {does}",
        context.release, context.recipe.name, context.environment, context.by
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::testing::{FakeHost, TestSlot};

    #[tokio::test]
    async fn the_reason_in_consul_says_what_is_done_and_who_does_it() {
        let mut slot = TestSlot::new("", vec![FakeHost::default().behaviour()]).await;
        let shown = |slot: &TestSlot, side| reason(&slot.placement, side);
        assert_eq!(
            shown(&slot, Side::Old),
            "r2 of web in staging by alice@laptop: replaced by web-r2"
        );
        assert_eq!(
            shown(&slot, Side::New),
            "r2 of web in staging by alice@laptop: reverted"
        );
        slot.placement.plan.incoming = None;
        assert_eq!(
            shown(&slot, Side::Old),
            "r2 of web in staging by alice@laptop: removed"
        );
    }
}
