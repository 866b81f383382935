//! From a host to a session: all connections of one run.

mod countdown;
mod destination;
mod dial;
mod endpoint;
mod error;
mod host_key;
mod login;
mod stream;

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use russh::client;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OnceCell, Semaphore},
};

use self::{
    countdown::Countdown,
    destination::{Destination, JumpHost},
    dial::dial,
    host_key::{HostKeyVerifier, KnownHostsFiles},
    login::{Keyring, log_in},
    stream::Cuttable,
};
use super::{
    openssh::paths::Paths,
    session::{
        Session, Tunnel,
        client::{Client, HandshakeError, HostKeyProblem, configuration, describe},
        connection::Connection,
        disconnect::DisconnectReason,
        places::Places,
    },
};
use crate::model::{Host, HostName, SshSettings};

pub use self::{
    endpoint::Endpoint,
    error::{ConnectError, Tried},
    login::Prompt,
};

/// Connections that may be on their way at once, without a jump host. More only compete for this machine.
const DIRECT: usize = 32;

/// Connections that may be on their way at once through one jump host. They all share its one TCP stream,
/// and where they end at one machine its sshd drops some beyond 10 (`MaxStartups`).
const THROUGH_A_JUMP: usize = 8;

/// Opens the sessions of one run, and keeps what they share: OpenSSH's files, the agent, passphrases, and
/// the sessions to jump hosts.
pub struct Connector {
    paths: Paths,
    keyring: Keyring,
    known_hosts: Arc<KnownHostsFiles>,
    direct: Semaphore,
    jumps: Mutex<HashMap<Destination, Arc<Jump>>>,
}

/// A jump host's session, opened by the first who needs it.
#[derive(Default)]
struct Jump {
    session: OnceCell<Result<Session, Arc<ConnectError>>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("paths", &self.paths)
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
        Self {
            paths,
            keyring: Keyring::new(prompt),
            known_hosts: Arc::default(),
            direct: Semaphore::new(DIRECT),
            jumps: Mutex::default(),
        }
    }

    /// Connects to a host and logs in.
    ///
    /// The host's connect timeout covers TCP, handshake and login, but not the time a person takes to type
    /// a passphrase or to let an agent sign, nor the wait for other connections of ours that go first.
    pub async fn connect(&self, host: &Host) -> Result<Session, ConnectError> {
        let destination = Destination::resolve(&host.address, &host.ssh, &self.paths)?;
        self.open(host.name.clone(), destination, &host.ssh, &[])
            .await
    }

    /// `behind` are the jump hosts that wait for this connection, to see a circle before it closes.
    async fn open(
        &self,
        name: HostName,
        destination: Destination,
        settings: &SshSettings,
        behind: &[Destination],
    ) -> Result<Session, ConnectError> {
        let carrier = match destination.jumps.split_last() {
            None => None,
            Some((last, before)) => Some(self.jump(last, before, settings, behind).await?),
        };
        let turns = carrier
            .as_ref()
            .map_or(&self.direct, |carrier| &carrier.connection().turns);
        // Never closed, so never an error; a turn more would be harmless as well.
        let _turn = turns.acquire().await.ok();

        let mut countdown = Countdown::new(destination.endpoint.clone(), destination.timeout);
        match &carrier {
            None => {
                let stream = dial(&destination.endpoint, &mut countdown).await?;
                self.establish(name, &destination, stream, None, countdown)
                    .await
            }
            Some(jump) => {
                let stream = through(jump, &destination, &mut countdown).await?;
                self.establish(name, &destination, stream, carrier.clone(), countdown)
                    .await
            }
        }
    }

    /// The session to a jump host, which all hosts behind it share.
    async fn jump(
        &self,
        last: &JumpHost,
        before: &[JumpHost],
        settings: &SshSettings,
        behind: &[Destination],
    ) -> Result<Session, ConnectError> {
        let failed = |source| ConnectError::Jump {
            jump: last.to_string(),
            source,
        };
        let settings = settings_of_jump(last, before, settings);
        let destination = Destination::resolve(&last.host, &settings, &self.paths)
            .map_err(|error| failed(Arc::new(error)))?;
        if behind.contains(&destination) {
            return Err(failed(Arc::new(ConnectError::Handshake {
                endpoint: Box::new(destination.endpoint),
                reason: "jump hosts lead to jump hosts in a circle".to_owned(),
            })));
        }
        let behind = [behind, std::slice::from_ref(&destination)].concat();
        loop {
            let jump = {
                let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(jumps.entry(destination.clone()).or_default())
            };
            let open = || async {
                let name = HostName::from(last.to_string());
                Box::pin(self.open(name, destination.clone(), &settings, &behind))
                    .await
                    .map_err(Arc::new)
            };
            match jump.session.get_or_init(open).await {
                Ok(session) if !session.is_closed() => return Ok(session.clone()),
                // It ended since it was opened: the next turn opens it anew.
                Ok(_) => self.forget(&destination, &jump),
                // All who waited for it get this error; who comes later tries again.
                Err(error) => {
                    self.forget(&destination, &jump);
                    return Err(failed(Arc::clone(error)));
                }
            }
        }
    }

    fn forget(&self, destination: &Destination, jump: &Arc<Jump>) {
        let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
        if jumps
            .get(destination)
            .is_some_and(|known| Arc::ptr_eq(known, jump))
        {
            jumps.remove(destination);
        }
    }

    /// Handshake and login on a connection that is open.
    async fn establish<S>(
        &self,
        host: HostName,
        destination: &Destination,
        stream: S,
        carrier: Option<Session>,
        mut countdown: Countdown,
    ) -> Result<Session, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let verifier = HostKeyVerifier::new(
            destination.names.clone(),
            destination.policy(),
            &destination.known_hosts,
            destination.first_known_hosts.clone(),
            &self.known_hosts,
        )
        .map_err(|(path, source)| ConnectError::KnownHosts { path, source })?;
        let disconnect_reason = Arc::<DisconnectReason>::default();
        let (stream, cut) = Cuttable::new(stream);
        let config = Arc::new(configuration(verifier.preferred()));
        let client = Client::new(
            Box::new(move |key| verifier.check(key)),
            Arc::clone(&disconnect_reason),
        );
        let mut handle = countdown
            .run(
                "the SSH handshake",
                client::connect_stream(config, stream, client),
            )
            .await?
            .map_err(|error| handshake_error(error, destination))?;
        log_in(
            &mut handle,
            &disconnect_reason,
            destination,
            &self.keyring,
            &mut countdown,
        )
        .await?;
        tracing::debug!(%host, endpoint = %destination.endpoint, "connected");
        Ok(Session::new(Arc::new(Connection {
            host,
            handle,
            places: Arc::new(Places::new()),
            turns: Semaphore::new(THROUGH_A_JUMP),
            disconnect_reason,
            _carrier: carrier.map(|jump| Arc::clone(jump.connection())),
            _cut: cut,
        })))
    }
}

/// A jump host has the keys, the known hosts and the configuration file of the hosts behind it, but its own
/// user and port, as with `ssh -J`.
fn settings_of_jump(last: &JumpHost, before: &[JumpHost], behind: &SshSettings) -> SshSettings {
    let before: Vec<_> = before.iter().map(ToString::to_string).collect();
    SshSettings {
        user: last.user.clone(),
        port: last.port,
        proxy_jump: (!before.is_empty()).then(|| before.join(",")),
        r#become: false,
        ..behind.clone()
    }
}

/// Opens a TCP connection from the jump host.
async fn through(
    jump: &Session,
    destination: &Destination,
    countdown: &mut Countdown,
) -> Result<Tunnel, ConnectError> {
    let Endpoint { address, port, .. } = &destination.endpoint;
    let open = jump.carry(address, *port, destination.timeout);
    countdown
        .run("a TCP connection from the jump host", open)
        .await?
        .map_err(|error| ConnectError::Connect {
            endpoint: Box::new(destination.endpoint.clone()),
            source: io::Error::other(error),
        })
}

fn handshake_error(error: HandshakeError, destination: &Destination) -> ConnectError {
    let endpoint = Box::new(destination.endpoint.clone());
    match error {
        HandshakeError::Protocol(russh::Error::IO(source))
            if source.kind() != io::ErrorKind::UnexpectedEof =>
        {
            ConnectError::Connect { endpoint, source }
        }
        HandshakeError::Protocol(error) => ConnectError::Handshake {
            endpoint,
            reason: describe(&error),
        },
        HandshakeError::HostKey(problem) => match problem {
            HostKeyProblem::Unknown {
                fingerprint,
                algorithm,
                others,
            } => ConnectError::HostKeyUnknown {
                endpoint,
                algorithm,
                fingerprint,
                known_hosts: destination.first_known_hosts.clone(),
                others,
            },
            HostKeyProblem::Changed { fingerprint, place } => ConnectError::HostKeyChanged {
                endpoint,
                entry: destination.names.entry.clone(),
                fingerprint,
                known_hosts: place.file,
                line: place.line,
            },
            HostKeyProblem::Revoked { fingerprint, place } => ConnectError::HostKeyRevoked {
                endpoint,
                fingerprint,
                known_hosts: place.file,
                line: place.line,
            },
            HostKeyProblem::NotAdded { file, source } => {
                ConnectError::KnownHosts { path: file, source }
            }
        },
    }
}
