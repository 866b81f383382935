//! The gate `Leader`: while one of Consul's servers is down, the others have a leader.

use super::observation::{holds, not_yet};
use crate::{
    hosts::HostError,
    rollout::{machine::Observation, slot::Placement},
    text,
};

/// Asks the other servers for their leader.
pub(super) async fn check(placement: &Placement) -> Result<Observation, HostError> {
    let context = &placement.context;
    // Of two servers one alone elects nobody.
    if context.consul_servers < 3 {
        return Ok(holds("too few servers for an election"));
    }
    let own = placement.reached.name();
    let others = context.consul_hosts.iter().filter(|it| it.name() != own);
    let mut seen = holds("no other server to ask");
    for other in others {
        // Only a leader that lives answers this: `/v1/status/leader` has the dead one for a while.
        match other.consul.voters().await {
            Ok(_) => return Ok(holds("")),
            Err(error) => seen = not_yet(text::chain(&error).join(": ")),
        }
    }
    Ok(seen)
}
