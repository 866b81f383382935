//! Who signs when a server wants a key: nobody, an agent, or a private key from a file.

use std::sync::Arc;

use russh::{
    SendError, Signer,
    keys::{
        HashAlg, PrivateKey, agent::AgentIdentity, signature::Signer as _,
        ssh_encoding::Encode as _,
    },
};
use tokio::sync::{mpsc, oneshot};

/// A signer that never signs: that it is asked to is all we want to know.
pub(super) struct Asker;

pub(super) enum Asked {
    Wanted,
    Gone,
}

impl From<SendError> for Asked {
    fn from(_: SendError) -> Self {
        Self::Gone
    }
}

impl Signer for Asker {
    type Error = Asked;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Asked> {
        Err(Asked::Wanted)
    }
}

/// No signature came, for a reason that is known elsewhere.
pub(super) struct Unsigned;

impl From<SendError> for Unsigned {
    fn from(_: SendError) -> Self {
        Self
    }
}

/// Hands on what is to be signed and waits: an agent may ask its owner, and whoever has the agent also
/// knows which clock that is on.
pub(super) struct Relay(pub(super) mpsc::Sender<ToSign>);

/// What a server wants signed. Without an answer the key is given up.
pub(super) struct ToSign {
    pub(super) hash: Option<HashAlg>,
    pub(super) data: Vec<u8>,
    pub(super) answer: oneshot::Sender<Vec<u8>>,
}

impl Signer for Relay {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        let (answer, answered) = oneshot::channel();
        let request = ToSign { hash, data, answer };
        self.0.send(request).await.map_err(|_| Unsigned)?;
        answered.await.map_err(|_| Unsigned)
    }
}

/// A private key that signs for its certificate. russh's own way names `ssh-rsa` for an RSA key and then
/// signs with SHA-2, which no server takes.
pub(super) struct CertifiedKey(pub(super) Arc<PrivateKey>);

impl CertifiedKey {
    /// The hash that an RSA key signs with here.
    pub(super) const HASH: HashAlg = HashAlg::Sha512;
}

impl Signer for CertifiedKey {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        let signature = self.0.try_sign(&data).map_err(|_| Unsigned)?;
        let signature = Vec::try_from(signature).map_err(|_| Unsigned)?;
        signature.encode(&mut data).map_err(|_| Unsigned)?;
        Ok(data)
    }
}
