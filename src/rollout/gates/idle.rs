//! The gate `Idle`, the end of a drain: the connections of the containers have ended. The machine gives it up
//! after the drain's timeout (`rollout/machine/sequence/drain.rs`).

use super::observation::{holds, not_yet};
use crate::{
    facts::connections,
    hosts::{HostError, QUICK},
    rollout::{
        machine::{Observation, Side},
        slot::Placement,
    },
    text,
};

/// Counts the open connections of the containers of one side.
pub(super) async fn check(placement: &Placement, side: Side) -> Result<Observation, HostError> {
    let mut open = 0;
    for container in placement.containers_of(side).await {
        // On the host's network the table is the host's; the ports tell which are its own.
        let address = &placement.reached.host.address;
        let ports = container.ports(&placement.host_recipe, address);
        let ports: Vec<_> = ports.into_iter().map(|(inside, _)| inside).collect();
        let Some(seen) = container.inspected.filter(|seen| seen.state.pid > 0) else {
            continue;
        };
        let output = placement
            .reached
            .run(connections::read_sockets(seen.state.pid), QUICK)
            .await?;
        // No such process: it has ended, and its connections with it.
        if output.status != 0 && !output.stderr.contains("No such file") {
            return Ok(not_yet(format!(
                "cannot see its connections: {}",
                text::reason(&output.stderr)
            )));
        }
        open += connections::open_connections(&output.stdout, &ports);
    }
    Ok(if open == 0 {
        holds("")
    } else {
        not_yet(text::count(open, "open connection"))
    })
}
