//! Our side of the SSH protocol: what russh asks us, and how we set it up.

use std::{borrow::Cow, io, path::PathBuf, sync::Arc, time::Duration};

use russh::{
    Preferred, SshId,
    client::{self, ChannelOpenHandle, Msg, Session},
    keys::PublicKeyOrCertificate,
};

use super::disconnect::DisconnectReason;
use crate::transport::openssh::known_hosts::Place;

/// Nothing heard for so long, and the server is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// So many questions without an answer, and it counts as dead.
const KEEPALIVES: usize = 3;

/// The handler of one connection.
pub(in crate::transport) struct Client {
    check_host_key: Box<HostKeyCheck>,
    disconnect_reason: Arc<DisconnectReason>,
}

/// Whether the server that shows this key, or this certificate, is the one we mean. russh has verified by
/// then that the server holds it.
pub(in crate::transport) type HostKeyCheck =
    dyn Fn(&PublicKeyOrCertificate) -> Result<(), HostKeyProblem> + Send;

impl Client {
    pub(in crate::transport) fn new(
        check_host_key: Box<HostKeyCheck>,
        disconnect_reason: Arc<DisconnectReason>,
    ) -> Self {
        Self {
            check_host_key,
            disconnect_reason,
        }
    }
}

/// Why a server's key was not accepted.
#[derive(Debug, thiserror::Error)]
pub(in crate::transport) enum HostKeyProblem {
    #[error("unknown host key")]
    Unknown {
        fingerprint: String,
        algorithm: String,
        others: Vec<String>,
        /// Why the certificate that came with the key does not count.
        useless_certificate: Option<String>,
    },
    #[error("changed host key")]
    Changed { fingerprint: String, place: Place },
    #[error("revoked host key")]
    Revoked { fingerprint: String, place: Place },
    #[error("could not read `{}`", file.display())]
    Unread {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl HostKeyProblem {
    /// The same, where a certificate came with the key that does not count.
    pub(in crate::transport) fn with_certificate(mut self, useless: Option<String>) -> Self {
        if let Self::Unknown {
            useless_certificate,
            ..
        } = &mut self
        {
            *useless_certificate = useless;
        }
        self
    }
}

/// Why a handshake ended.
#[derive(Debug, thiserror::Error)]
pub(in crate::transport) enum HandshakeError {
    #[error(transparent)]
    HostKey(HostKeyProblem),
    #[error(transparent)]
    Protocol(#[from] russh::Error),
}

impl client::Handler for Client {
    type Error = HandshakeError;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, HandshakeError> {
        (self.check_host_key)(key)
            .map(|()| true)
            .map_err(HandshakeError::HostKey)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), HandshakeError> {
        tracing::debug!(banner, "the server's banner");
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<HandshakeError>,
    ) -> Result<(), HandshakeError> {
        self.disconnect_reason.set(match reason {
            client::DisconnectReason::ReceivedDisconnect(info) => {
                format!("the server said: {}", info.message.trim())
            }
            client::DisconnectReason::Error(HandshakeError::Protocol(error)) => describe(&error),
            client::DisconnectReason::Error(error) => error.to_string(),
        });
        Ok(())
    }

    // We never ask for forwarding to us, so whatever a server opens is unasked for. Dropping the handle
    // refuses; russh's defaults accept.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: russh::Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: russh::Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: russh::Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: russh::Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: russh::Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), HandshakeError> {
        drop(reply);
        Ok(())
    }
}

/// russh's configuration for a server that is asked for host keys of these types.
pub(in crate::transport) fn configuration(preferred: Preferred) -> client::Config {
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-shipit_",
            env!("CARGO_PKG_VERSION")
        ))),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        preferred,
        ..client::Config::default()
    }
}

/// An error of russh's in our words, where its own would not help.
pub(in crate::transport) fn describe(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => format!(
            "no answer to {KEEPALIVES} keepalives, {} s apart",
            KEEPALIVE.as_secs()
        ),
        russh::Error::HUP | russh::Error::Disconnect => {
            "the server closed the connection".to_owned()
        }
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        russh::Error::NoCommonAlgo { kind, theirs, .. } => format!(
            "no common {} algorithm; the server offers {}",
            format!("{kind:?}").to_lowercase(),
            theirs.join(", ")
        ),
        error => error.to_string(),
    }
}
