//! The step `Stop`: `docker stop` with the container's own timeout.

use std::time::Duration;

use super::traffic::{forget, put_back};
use crate::{
    docker,
    hosts::{HostError, QUICK},
    rollout::{machine::Side, slot::Placement},
};

/// How often docker is asked, and how long after each other.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(300);

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
        restart_no_more(placement, &there.name).await?;
        placement.note_stop(side);
        placement
            .reached
            .expect(docker::stop(&there.name), there.stop_timeout + QUICK)
            .await?;
    }
    forget(placement, side).await;
    Ok(())
}

/// Docker refuses the update of a container that ends at this very moment, as one that crashes over and over does.
async fn restart_no_more(placement: &Placement, name: &str) -> Result<(), HostError> {
    let mut tries = 1;
    loop {
        let update = docker::set_restart(name, "no");
        match placement.reached.expect(update, QUICK).await {
            Err(error) if tries < TRIES && !error.is_unreachable() => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            result => return result.map(|_| ()),
        }
    }
}
