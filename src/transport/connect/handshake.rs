//! SSH's handshake, in which the server shows its host key.

use std::{io, sync::Arc};

use russh::client::{self, Handle};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::DropGuard;

use super::{
    countdown::Countdown,
    destination::Destination,
    error::ConnectError,
    host_key::{HostKeyVerifier, KnownHostsFiles},
    stream::Abortable,
};
use crate::transport::session::{
    client::{Client, HandshakeError, HostKeyProblem, configuration, describe},
    disconnect::DisconnectReason,
};

/// A connection to a server whose host key has been checked, and that nobody has logged in to yet.
pub(super) struct Handshaken {
    pub(super) handle: Handle<Client>,
    pub(super) disconnect_reason: Arc<DisconnectReason>,
    /// Ends russh's task when dropped.
    pub(super) abort_on_drop: DropGuard,
}

/// Does the handshake on a stream that is open.
pub(super) async fn handshake<S>(
    stream: S,
    destination: &Destination,
    known_hosts: &Arc<KnownHostsFiles>,
    countdown: &mut Countdown,
) -> Result<Handshaken, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let verifier = HostKeyVerifier::new(
        destination.names.clone(),
        destination.policy(),
        &destination.known_hosts,
        destination.first_known_hosts.clone(),
        known_hosts,
    )
    .map_err(|(path, source)| ConnectError::KnownHosts { path, source })?;
    let disconnect_reason = Arc::<DisconnectReason>::default();
    let (stream, abort_on_drop) = Abortable::new(stream);
    let config = Arc::new(configuration(verifier.preferred()));
    let client = Client::new(
        Box::new(move |key| verifier.check(key)),
        Arc::clone(&disconnect_reason),
    );
    let handle = countdown
        .run(
            "the SSH handshake",
            client::connect_stream(config, stream, client),
        )
        .await?
        .map_err(|error| handshake_error(error, destination))?;
    Ok(Handshaken {
        handle,
        disconnect_reason,
        abort_on_drop,
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
                useless_certificate,
            } => ConnectError::HostKeyUnknown {
                endpoint,
                algorithm,
                fingerprint,
                known_hosts: destination.first_known_hosts.clone(),
                others,
                useless_certificate: useless_certificate.map(Into::into),
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
            HostKeyProblem::Unread { file, source } => {
                ConnectError::KnownHosts { path: file, source }
            }
        },
    }
}
