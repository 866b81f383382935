//! One SSH connection: russh's handle, its limits, and why it ended.

use std::sync::Arc;

use russh::client;
use tokio_util::sync::DropGuard;

use super::{client::Client, disconnect::DisconnectReason, error::SessionError, places::Places};
use crate::model::HostName;

/// A connection that is logged in.
pub(in crate::transport) struct Connection {
    pub(super) host: HostName,
    pub(super) handle: client::Handle<Client>,
    pub(super) places: Arc<Places>,
    pub(super) disconnect_reason: Arc<DisconnectReason>,
    /// The connection to the jump host that carries this one, which must live as long.
    _carrier: Option<Arc<Connection>>,
    /// Ends russh's task with the last session.
    _cut: DropGuard,
}

impl Connection {
    /// `carrier` is the connection to the jump host that carries this one; `cut` ends russh's task.
    pub(in crate::transport) fn new(
        host: HostName,
        handle: client::Handle<Client>,
        disconnect_reason: Arc<DisconnectReason>,
        carrier: Option<Arc<Connection>>,
        cut: DropGuard,
    ) -> Self {
        Self {
            host,
            handle,
            places: Arc::new(Places::new()),
            disconnect_reason,
            _carrier: carrier,
            _cut: cut,
        }
    }

    /// The error for a connection that is gone.
    pub(super) fn disconnected(&self, what: &str) -> SessionError {
        SessionError::Disconnected {
            host: self.host.clone(),
            what: what.to_owned(),
            reason: self.disconnect_reason.describe(),
        }
    }
}
