//! Why a connection ended.

use std::sync::OnceLock;

/// Why a connection ended. russh's task sets it; whoever waits on the connection reads it.
#[derive(Debug, Default)]
pub(in crate::transport) struct DisconnectReason(OnceLock<String>);

impl DisconnectReason {
    /// The first reason stays: what follows is its consequence.
    pub(super) fn set(&self, reason: String) {
        let _ = self.0.set(reason);
    }

    /// The reason, once there is one.
    pub(in crate::transport) fn known(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// The reason as an error shows it.
    pub(super) fn describe(&self) -> String {
        self.known()
            .unwrap_or("the connection was closed")
            .to_owned()
    }
}
