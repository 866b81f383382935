//! The gate `Quorum`: all of Consul's servers are there, so that one may go.

use super::observation::{holds, not_yet};
use crate::{
    hosts::{HostError, Reached},
    rollout::{machine::Observation, slot::Placement},
    text,
};

/// Asks the agent on the slot's host whether the cluster is whole.
pub(super) async fn check(placement: &Placement) -> Result<Observation, HostError> {
    cluster_is_whole(&placement.reached, placement.context.consul_servers).await
}

/// Whether Consul's cluster, as the agent on one host sees it, has a leader and all `servers` alive.
pub async fn cluster_is_whole(reached: &Reached, servers: usize) -> Result<Observation, HostError> {
    let Some(leader) = reached.consul.leader().await? else {
        return Ok(not_yet("Consul has no leader"));
    };
    // Who only uses Consul needs its leader, and no server more than that takes.
    if servers == 0 {
        return Ok(holds(format!("leader {leader}")));
    }
    let peers = reached.consul.peers().await?.len();
    if peers < servers {
        return Ok(not_yet(format!(
            "Consul's cluster has {peers} of {servers} servers"
        )));
    }
    // A server that has just joined is a peer, but has no vote for its first ten seconds or so (Consul's
    // autopilot, `ServerStabilizationTime`). Until then no other may go.
    let voters = reached.consul.voters().await?;
    if voters < peers {
        return Ok(not_yet(format!(
            "{voters} of {peers} Consul servers have a vote yet"
        )));
    }
    let members = reached.consul.members().await?;
    let alive = members
        .iter()
        .filter(|member| member.is_alive_server())
        .count();
    if alive < servers.max(peers) {
        let dead: Vec<_> = members
            .iter()
            .filter(|m| m.is_server() && !m.is_alive_server())
            .map(|m| m.name.clone())
            .collect();
        return Ok(not_yet(format!(
            "{alive} of {peers} Consul servers are alive; missing: {}",
            text::list(dead)
        )));
    }
    Ok(holds(format!("leader {leader}")))
}
