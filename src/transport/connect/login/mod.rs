//! Logging in: which keys are offered, in which order, and what came of each.
//!
//! Each key is offered once. Servers count refusals (sshd's `MaxAuthTries`), and from 9.8 on sshd locks an
//! address out that is refused too often, so nothing is tried a second time.

mod agent;
mod candidates;
mod certificates;
mod identity;
mod offer;
mod own_key;
mod signing;

use russh::client::Handle;

use self::{
    agent::connect_agent,
    candidates::candidates,
    certificates::Certificates,
    offer::{Login, Outcome},
};
use super::{countdown::Countdown, destination::Destination, error::ConnectError};
use crate::transport::session::{client::Client, disconnect::DisconnectReason};

pub(super) use self::identity::Keyring;
pub use self::{identity::Prompt, own_key::OwnKey};

/// Logs in on a connection whose host key has been checked.
pub(super) async fn log_in(
    handle: &mut Handle<Client>,
    disconnect_reason: &DisconnectReason,
    destination: &Destination,
    keyring: &Keyring,
    countdown: &mut Countdown,
) -> Result<(), ConnectError> {
    let mut tried = Vec::new();
    let agent = connect_agent(handle, destination, &mut tried).await;
    let (agent, agent_keys) = agent.unzip();
    let certificates = Certificates::read(&destination.certificate_files, &mut tried).await;
    let candidates = candidates(
        destination,
        keyring,
        &certificates,
        agent_keys.unwrap_or_default(),
        &mut tried,
    )
    .await?;

    let mut login = Login {
        handle,
        disconnect_reason,
        destination,
        keyring,
        certificates: &certificates,
        countdown,
        agent,
        tried,
        methods: Vec::new(),
    };
    if candidates.is_empty() {
        return login.ask_for_methods().await;
    }
    for candidate in candidates {
        match login.offer(candidate).await? {
            Outcome::LoggedIn => return Ok(()),
            Outcome::Refused => {}
            Outcome::NoMoreTries => break,
        }
    }
    Err(login.refused())
}
