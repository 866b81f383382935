//! One SSH connection: russh's handle, its limits, and why it ended.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use russh::client;
use tokio_util::sync::DropGuard;

use super::{
    channel_limit::ChannelLimit, client::Client, disconnect::DisconnectReason, error::SessionError,
};
use crate::model::HostName;

/// A connection that is logged in.
pub(in crate::transport) struct Connection {
    pub(super) host: HostName,
    /// The account that is logged in.
    pub(super) user: String,
    pub(super) handle: client::Handle<Client>,
    pub(super) channels: Arc<ChannelLimit>,
    pub(super) disconnect_reason: Arc<DisconnectReason>,
    /// Whether it did not answer in time when it was last asked for a channel or a command.
    is_silent: AtomicBool,
    /// The connection to the jump host that carries this one, which must live as long.
    _carrier: Option<Arc<Connection>>,
    /// Ends russh's task with the last session.
    _abort_on_drop: DropGuard,
}

impl Connection {
    /// `carrier` is the connection to the jump host that carries this one; `abort_on_drop` ends russh's task.
    pub(in crate::transport) fn new(
        host: HostName,
        user: String,
        handle: client::Handle<Client>,
        disconnect_reason: Arc<DisconnectReason>,
        carrier: Option<Arc<Connection>>,
        abort_on_drop: DropGuard,
    ) -> Self {
        Self {
            host,
            user,
            handle,
            channels: Arc::new(ChannelLimit::new()),
            disconnect_reason,
            is_silent: AtomicBool::new(false),
            _carrier: carrier,
            _abort_on_drop: abort_on_drop,
        }
    }

    /// Whether it has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Whether it has ended, or did not answer when it was last asked.
    pub(in crate::transport) fn is_lost(&self) -> bool {
        self.is_closed() || self.is_silent.load(Ordering::SeqCst)
    }

    /// Takes note of whether it answered in time.
    pub(super) fn note_answer(&self, answered: bool) {
        self.is_silent.store(!answered, Ordering::SeqCst);
    }

    /// The error for a connection that is gone and was not replaced.
    pub(super) fn not_reconnected(
        &self,
        source: Arc<dyn Error + Send + Sync>,
        hint: Option<String>,
    ) -> SessionError {
        SessionError::NotReconnected {
            host: self.host.clone(),
            reason: self.disconnect_reason.describe(),
            hint,
            source,
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
