//! The step `Stop`: `docker stop` with the container's own timeout.

use super::traffic::{forget, put_back};
use crate::{
    docker,
    hosts::{HostError, QUICK},
    rollout::{machine::Side, slot::Placement},
};

/// Stops the containers of one side; fine if they are not there.
pub(super) async fn stop(placement: &Placement, side: Side) -> Result<(), HostError> {
    // Where both have one name, the old one has stopped by now, and is put back when it starts.
    let mut outgoing = placement.plan.outgoing.iter();
    if side == Side::New && outgoing.all(|name| name.active == name.retired) {
        // What an earlier, cut-off deploy left in maintenance mode must serve again when this one goes.
        put_back(placement, Side::Old).await?;
    }
    for container in placement.containers_of(side).await {
        let Some(there) = placement.current(&container).await? else {
            continue;
        };
        // A container that docker restarts over and over would come back between stop and retire.
        placement
            .reached
            .expect(docker::set_restart(&there.name, "no"), QUICK)
            .await?;
        placement.note_stop(side);
        placement
            .reached
            .expect(docker::stop(&there.name), there.stop_timeout + QUICK)
            .await?;
    }
    forget(placement, side).await;
    Ok(())
}
