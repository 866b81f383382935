//! The step `OutlastStop`: a stop that nobody waits for any more comes to its end.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    docker::{self, Container},
    hosts::{HostError, QUICK},
    rollout::{machine::Side, slot::Placement},
};

/// What docker may need between the end of a stop's time-out and the end of the container.
const SPARE: Duration = Duration::from_secs(2);

/// The pause between two looks at a container that is about to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Waits until a `docker stop` that may still be under way has ended, so that what is started afterwards stays.
///
/// Docker goes on with a stop when whoever asked for it is gone. The container runs until it has ended or its
/// time-out has passed, and only docker's events tell of it.
pub(super) async fn outlast_a_stop(placement: &Placement, side: Side) -> Result<(), HostError> {
    for container in placement.containers_of(side).await {
        let began = Instant::now();
        while let Some(there) = placement.current(&container).await?
            && there.state.running
            && began.elapsed() <= there.stop_timeout + SPARE
            && may_be_stopping(placement, &there, began.elapsed()).await
        {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(())
}

/// Whether docker was asked to stop a container so lately that it may still be about it. Where that cannot be told,
/// it may be.
async fn may_be_stopping(placement: &Placement, container: &Container, waited: Duration) -> bool {
    let since = container.stop_timeout + SPARE + waited;
    let command = docker::events_since(since);
    match placement.reached.run(command, QUICK).await {
        Ok(output) if output.status == 0 => docker::was_signalled(&output.stdout, &container.id),
        _ => true,
    }
}
