//! The agent: `SSH_AUTH_SOCK`, or what `IdentityAgent` names.

use std::time::Duration;

use russh::{
    client::Handle,
    keys::agent::{AgentIdentity, client::AgentClient},
};
use tokio::{net::UnixStream, time::timeout};

use crate::transport::{
    connect::{destination::Destination, error::Tried},
    session::client::Client,
};

/// How long an agent may take to list its keys.
const AGENT: Duration = Duration::from_secs(3);

/// The connection to an agent.
pub(super) type Agent = AgentClient<UnixStream>;

/// Connects to the agent and lists its keys. An agent that fails is noted, as there may be key files.
pub(super) async fn connect_agent(
    handle: &Handle<Client>,
    destination: &Destination,
    tried: &mut Vec<Tried>,
) -> Option<(Agent, Vec<AgentIdentity>)> {
    let socket = destination.agent.as_ref()?;
    let connect = async {
        let mut agent = AgentClient::connect_uds(socket).await?;
        // Keys that are bound to destinations show only then; an agent that does not know it goes on.
        if let Some(binding) = handle.agent_session_binding() {
            let _ = agent.bind_session(binding, false).await;
        }
        let keys = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, keys))
    };
    let outcome = match timeout(AGENT, connect).await {
        Ok(Ok(agent)) => return Some(agent),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", AGENT.as_secs()),
    };
    tried.push(Tried {
        key: format!("agent at {}", socket.display()),
        outcome,
    });
    None
}
