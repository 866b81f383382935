//! One SSH connection: russh's handle, its limits, and why it ended.

use std::sync::Arc;

use russh::client;
use tokio::sync::Semaphore;
use tokio_util::sync::DropGuard;

use super::{client::Client, disconnect::DisconnectReason, error::SessionError, places::Places};
use crate::model::HostName;

/// A connection that is logged in.
pub(in crate::transport) struct Connection {
    pub(in crate::transport) host: HostName,
    pub(in crate::transport) handle: client::Handle<Client>,
    pub(in crate::transport) places: Arc<Places>,
    pub(in crate::transport) disconnect_reason: Arc<DisconnectReason>,
    /// How many connections may be on their way through this one, if it is a jump host's.
    pub(in crate::transport) turns: Semaphore,
    /// The connection to the jump host that carries this one, which must live as long.
    pub(in crate::transport) _carrier: Option<Arc<Connection>>,
    /// Ends russh's task with the last session.
    pub(in crate::transport) _cut: DropGuard,
}

impl Connection {
    /// The error for a connection that is gone.
    pub(in crate::transport) fn disconnected(&self, what: &str) -> SessionError {
        SessionError::Disconnected {
            host: self.host.clone(),
            what: what.to_owned(),
            reason: self.disconnect_reason.describe(),
        }
    }
}
