//! One SSH connection: russh's handle, its limits, and why it ended.

use std::sync::{Arc, OnceLock};

use russh::client;
use tokio::sync::Semaphore;
use tokio_util::sync::DropGuard;

use super::{Session, client::Client, error::SessionError, places::Places};
use crate::model::HostName;

/// A connection that is logged in.
pub(in crate::transport) struct Connection {
    pub(in crate::transport) host: HostName,
    pub(in crate::transport) handle: client::Handle<Client>,
    pub(in crate::transport) places: Arc<Places>,
    pub(in crate::transport) fate: Arc<Fate>,
    /// How many connections may be on their way through this one, if it is a jump host's.
    pub(in crate::transport) turns: Semaphore,
    /// The jump host's session that carries this one, which must live as long.
    pub(in crate::transport) _carrier: Option<Session>,
    /// Ends russh's task with the last session.
    pub(in crate::transport) _cut: DropGuard,
}

impl Connection {
    /// The error for a connection that is gone.
    pub(in crate::transport) fn disconnected(&self, what: &str) -> SessionError {
        SessionError::Disconnected {
            host: self.host.clone(),
            what: what.to_owned(),
            reason: self.fate.reason(),
        }
    }
}

/// Why a connection ended, told by russh's task to whoever waits on it.
#[derive(Debug, Default)]
pub(in crate::transport) struct Fate(OnceLock<String>);

impl Fate {
    /// The first reason stays: what follows is its consequence.
    pub(in crate::transport) fn set(&self, reason: String) {
        let _ = self.0.set(reason);
    }

    pub(in crate::transport) fn known(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    pub(in crate::transport) fn reason(&self) -> String {
        self.known()
            .unwrap_or("the connection was closed")
            .to_owned()
    }
}
