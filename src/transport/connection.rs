//! One SSH connection: russh's handle, its limits, and why it ended.

use std::sync::{Arc, OnceLock};

use russh::client;
use tokio::sync::Semaphore;
use tokio_util::sync::DropGuard;

use super::{client::Client, places::Places, session::Session, session_error::SessionError};
use crate::model::HostName;

/// A connection that is logged in.
pub(super) struct Connection {
    pub(super) host: HostName,
    pub(super) handle: client::Handle<Client>,
    pub(super) places: Arc<Places>,
    pub(super) fate: Arc<Fate>,
    /// How many connections may be on their way through this one, if it is a jump host's.
    pub(super) turns: Semaphore,
    /// The jump host's session that carries this one, which must live as long.
    pub(super) _carrier: Option<Session>,
    /// Ends russh's task with the last session.
    pub(super) _cut: DropGuard,
}

impl Connection {
    /// The error for a connection that is gone.
    pub(super) fn disconnected(&self, what: &str) -> SessionError {
        SessionError::Disconnected {
            host: self.host.clone(),
            what: what.to_owned(),
            reason: self.fate.reason(),
        }
    }
}

/// Why a connection ended, told by russh's task to whoever waits on it.
#[derive(Debug, Default)]
pub(super) struct Fate(OnceLock<String>);

impl Fate {
    /// The first reason stays: what follows is its consequence.
    pub(super) fn set(&self, reason: String) {
        let _ = self.0.set(reason);
    }

    pub(super) fn known(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    pub(super) fn reason(&self) -> String {
        self.known()
            .unwrap_or("the connection was closed")
            .to_owned()
    }
}
