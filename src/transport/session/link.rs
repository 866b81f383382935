//! What a session goes over: one connection after another, as each is lost.

use std::{
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{connection::Connection, error::SessionError};
use crate::model::HostName;

/// Why there is no new connection.
#[derive(Clone)]
pub(in crate::transport) struct Failure {
    pub(in crate::transport) error: Arc<dyn Error + Send + Sync>,
    /// What to type.
    pub(in crate::transport) hint: Option<String>,
}

/// Connects again, as it was done first.
pub(in crate::transport) type Reconnect =
    dyn Fn() -> BoxFuture<'static, Result<Arc<Connection>, Failure>> + Send + Sync;

/// The connection of a session, and how to get another.
pub(super) struct Link {
    host: HostName,
    current: Mutex<Arc<Connection>>,
    reconnect: Option<Box<Reconnect>>,
    /// Held by who connects again; keeps how that last failed, and when.
    last_failure: tokio::sync::Mutex<Option<(Instant, Failure)>>,
    /// We have said goodbye.
    is_closed: AtomicBool,
}

impl Link {
    pub(super) fn new(connection: Arc<Connection>, reconnect: Option<Box<Reconnect>>) -> Self {
        Self {
            host: connection.host.clone(),
            current: Mutex::new(connection),
            reconnect,
            last_failure: tokio::sync::Mutex::default(),
            is_closed: AtomicBool::new(false),
        }
    }

    pub(super) fn host(&self) -> &HostName {
        &self.host
    }

    /// The connection as it is, lost or not.
    pub(super) fn current(&self) -> Arc<Connection> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// No other connection is opened from here on.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// The connection for something that has not begun yet: another one where this one is lost. What was under
    /// way on the old one is not done again; whoever asked for it hears of the loss.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, SessionError> {
        let known = self.current();
        let may_reconnect = !self.is_closed.load(Ordering::SeqCst);
        let Some(reconnect) = self.reconnect.as_ref().filter(|_| may_reconnect) else {
            return Ok(known);
        };
        if !known.is_lost() {
            return Ok(known);
        }
        let asked_at = Instant::now();
        let mut last_failure = self.last_failure.lock().await;
        // Somebody else may have connected again meanwhile, or have tried in vain.
        let known = self.current();
        if !known.is_lost() {
            return Ok(known);
        }
        let failed_meanwhile = last_failure.as_ref().filter(|(at, _)| *at >= asked_at);
        let failure = if let Some((_, failure)) = failed_meanwhile {
            failure.clone()
        } else {
            tracing::info!(host = %self.host, "connects again");
            match reconnect().await {
                Ok(connection) => {
                    let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                    *current = Arc::clone(&connection);
                    return Ok(connection);
                }
                Err(failure) => {
                    *last_failure = Some((Instant::now(), failure.clone()));
                    failure
                }
            }
        };
        if known.is_closed() {
            return Err(known.not_reconnected(failure.error, failure.hint));
        }
        // It was only silent for a while, and is better than none.
        Ok(known)
    }
}
