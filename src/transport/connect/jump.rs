//! Jump hosts: one session to each, shared by all hosts behind it.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::{
    countdown::Countdown, destination::Destination, endpoint::Endpoint, error::ConnectError,
};
use crate::{
    model::{JumpHost, SshSettings},
    transport::session::{Session, Tunnel},
};

/// Connections that may be on their way at once through one jump host. They all share its one TCP stream,
/// and where they end at one machine its sshd drops some beyond 10 (`MaxStartups`).
const THROUGH_A_JUMP: usize = 8;

/// The sessions to the jump hosts of a run.
#[derive(Default)]
pub(super) struct JumpSessions(Mutex<HashMap<Destination, Arc<Shared>>>);

/// Opened by the first who needs it.
type Shared = OnceCell<Result<JumpSession, Arc<ConnectError>>>;

/// A session to a jump host.
#[derive(Clone)]
pub(super) struct JumpSession {
    session: Session,
    turns: Arc<Semaphore>,
}

impl JumpSessions {
    /// The session to a jump host. `open` opens it, when there is none or it has ended since.
    pub(super) async fn get<F>(
        &self,
        destination: &Destination,
        open: impl Fn() -> F,
    ) -> Result<JumpSession, Arc<ConnectError>>
    where
        F: Future<Output = Result<Session, ConnectError>>,
    {
        loop {
            let shared = {
                let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(sessions.entry(destination.clone()).or_default())
            };
            let opened = shared.get_or_init(|| async {
                let session = open().await.map_err(Arc::new)?;
                Ok(JumpSession::new(session))
            });
            match opened.await {
                Ok(jump) if !jump.session.is_lost() => return Ok(jump.clone()),
                // It was lost since it was opened: the next turn opens it anew.
                Ok(_) => self.forget(destination, &shared),
                // All who waited for it get this error; who comes later tries again.
                Err(error) => {
                    self.forget(destination, &shared);
                    return Err(Arc::clone(error));
                }
            }
        }
    }

    fn forget(&self, destination: &Destination, shared: &Arc<Shared>) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions
            .get(destination)
            .is_some_and(|known| Arc::ptr_eq(known, shared))
        {
            sessions.remove(destination);
        }
    }
}

impl JumpSession {
    fn new(session: Session) -> Self {
        Self {
            session,
            turns: Arc::new(Semaphore::new(THROUGH_A_JUMP)),
        }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Waits until one more connection may go through it.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit.
        self.turns.acquire().await.ok()
    }

    /// Opens a TCP connection from the jump host.
    pub(super) async fn dial(
        &self,
        destination: &Destination,
        countdown: &mut Countdown,
    ) -> Result<Tunnel, ConnectError> {
        let Endpoint { address, port, .. } = &destination.endpoint;
        let open = self.session.carry(address, *port, destination.timeout);
        countdown
            .run("a TCP connection from the jump host", open)
            .await?
            .map_err(|error| ConnectError::Connect {
                endpoint: Box::new(destination.endpoint.clone()),
                source: io::Error::other(error),
            })
    }
}

/// A jump host has the keys, the known hosts and the configuration file of the hosts behind it, but its own
/// user and port, as with `ssh -J`.
pub(super) fn settings_of_jump(
    last: &JumpHost,
    before: &[JumpHost],
    behind: &SshSettings,
) -> SshSettings {
    SshSettings {
        user: last.user.clone(),
        port: last.port,
        proxy_jump: (!before.is_empty()).then(|| before.to_vec()),
        r#become: false,
        ..behind.clone()
    }
}
