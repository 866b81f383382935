//! From a host to a session: all connections of one run.

mod countdown;
mod destination;
mod dial;
mod endpoint;
mod error;
mod handshake;
mod host_key;
mod jump;
mod login;
mod route;
mod stream;

use std::{fmt, path::Path, sync::Arc};

use futures::FutureExt;
use secrecy::SecretString;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
};

use self::{
    countdown::Countdown,
    destination::Destination,
    dial::dial,
    handshake::{Handshaken, handshake},
    host_key::KnownHostsFiles,
    jump::{JumpSession, JumpSessions},
    login::{Keyring, log_in},
    route::{JumpRoute, Route},
};
use super::{
    openssh::paths::Paths,
    session::{Session, connection::Connection, link::Failure},
};
use crate::model::{Host, HostName};

pub use self::{
    endpoint::Endpoint,
    error::{ConnectError, Tried},
    host_key::NotAdded,
    login::{OwnKey, Prompt},
};

/// Connections that may be on their way at once, without a jump host. More only compete for this machine.
const DIRECT: usize = 32;

/// Opens the sessions of one run, and keeps what they share: OpenSSH's files, the agent, passphrases, and
/// the sessions to jump hosts.
///
/// Its sessions connect again through it when their connections are lost.
pub struct Connector(Arc<Shared>);

struct Shared {
    paths: Paths,
    keyring: Keyring,
    known_hosts: Arc<KnownHostsFiles>,
    direct: Semaphore,
    jumps: JumpSessions,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("paths", &self.0.paths)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// For the account that shipit runs under.
    pub fn new(prompt: Arc<dyn Prompt>) -> Self {
        Self::with_paths(prompt, Paths::of_this_account())
    }

    /// For OpenSSH's files in other places.
    pub fn with_paths(prompt: Arc<dyn Prompt>, paths: Paths) -> Self {
        Self(Arc::new(Shared {
            paths,
            keyring: Keyring::new(prompt),
            known_hosts: Arc::default(),
            direct: Semaphore::new(DIRECT),
            jumps: JumpSessions::default(),
        }))
    }

    /// Connects to a host and logs in.
    ///
    /// The host's connect timeout covers TCP, handshake and login, but not the time a person takes to type
    /// a passphrase or to let an agent sign, nor the wait for other connections of ours that go first.
    pub async fn connect(&self, host: &Host) -> Result<Session, ConnectError> {
        let connection = self.0.connect(host).await?;
        let (shared, host) = (Arc::clone(&self.0), host.clone());
        let reconnect = move || {
            let (shared, host) = (Arc::clone(&shared), host.clone());
            let connecting = async move {
                let connected = shared.connect(&host).await;
                connected.map_err(|error| Failure {
                    hint: error.hint(),
                    error: Arc::new(error),
                })
            };
            connecting.boxed()
        };
        Ok(Session::new(connection, Some(Box::new(reconnect))))
    }

    /// The user's own key in a file; `None` where there is none.
    pub async fn own_key(&self, path: &Path) -> Result<Option<OwnKey>, String> {
        OwnKey::read(&self.0.keyring, path).await
    }

    /// The private half of such a key. Its passphrase is asked for, unless a login has done so, and no login asks for
    /// it again.
    pub async fn unlock(&self, key: &OwnKey) -> Result<SecretString, String> {
        key.unlock(&self.0.keyring).await
    }

    /// The host keys that were accepted and could not be added to a file since this was last asked.
    pub fn host_keys_not_added(&self) -> Vec<NotAdded> {
        self.0.known_hosts.not_added()
    }
}

impl Shared {
    async fn connect(&self, host: &Host) -> Result<Arc<Connection>, ConnectError> {
        let route = Route::resolve(&host.address, &host.ssh, &self.paths)?;
        self.open(host.name.clone(), &route).await
    }

    async fn open(&self, name: HostName, route: &Route) -> Result<Arc<Connection>, ConnectError> {
        let destination = &route.destination;
        let mut countdown = Countdown::new(destination.endpoint.clone(), destination.timeout);
        let Some(jump) = &route.jump else {
            // Never closed, so never an error; a turn more would be harmless as well.
            let _turn = self.direct.acquire().await.ok();
            let stream = dial(&destination.endpoint, &mut countdown).await?;
            return self
                .establish(name, destination, stream, None, countdown)
                .await;
        };
        let jump = self.jump(jump).await?;
        let _turn = jump.turn().await;
        let stream = jump.dial(destination, &mut countdown).await?;
        let carrier = Some(jump.session());
        self.establish(name, destination, stream, carrier, countdown)
            .await
    }

    /// The session to a jump host, which all hosts behind it share.
    async fn jump(
        &self,
        JumpRoute { name, route }: &JumpRoute,
    ) -> Result<JumpSession, ConnectError> {
        let open = || async {
            let name = HostName::from(name.clone());
            let connection = Box::pin(self.open(name, route)).await?;
            Ok(Session::new(connection, None))
        };
        let opened = self.jumps.get(&route.destination, open).await;
        opened.map_err(|source| ConnectError::Jump {
            jump: name.clone(),
            source,
        })
    }

    /// Handshake and login on a connection that is open.
    async fn establish<S>(
        &self,
        host: HostName,
        destination: &Destination,
        stream: S,
        carrier: Option<&Session>,
        mut countdown: Countdown,
    ) -> Result<Arc<Connection>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Handshaken {
            mut handle,
            disconnect_reason,
            abort_on_drop,
        } = handshake(stream, destination, &self.known_hosts, &mut countdown).await?;
        log_in(
            &mut handle,
            &disconnect_reason,
            destination,
            &self.keyring,
            &mut countdown,
        )
        .await?;
        tracing::debug!(%host, endpoint = %destination.endpoint, "connected");
        let carrier = carrier.map(Session::connection);
        let connection = Connection::new(
            host,
            destination.endpoint.user.clone(),
            handle,
            disconnect_reason,
            carrier,
            abort_on_drop,
        );
        Ok(Arc::new(connection))
    }
}
