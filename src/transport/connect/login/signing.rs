//! Who signs when a server wants a key: nobody, an agent, or a private key from a file.

use std::sync::Arc;

use rand::rngs::SysRng;
use rsa::{
    pkcs1v15,
    signature::{RandomizedSigner as _, SignatureEncoding as _},
};
use russh::{
    SendError, Signer,
    keys::{
        Algorithm, HashAlg, PrivateKey,
        agent::AgentIdentity,
        signature::Signer as _,
        ssh_encoding::Encode as _,
        ssh_key::{
            Signature,
            private::{KeypairData, RsaKeypair},
        },
    },
};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512, digest::const_oid::AssociatedOid};
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

/// A private key from a file, which signs for itself or for its certificate.
///
/// russh could do this as well, but signs with RSA by the bare arithmetic, whose time depends on the key
/// (RUSTSEC-2023-0071). Blinding makes that time tell nothing.
pub(super) struct FileKey(pub(super) Arc<PrivateKey>);

impl Signer for FileKey {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        let signature = match self.0.key_data() {
            KeypairData::Rsa(pair) => sign_blinded(pair, hash, &data)?,
            _ => self.0.try_sign(&data).map_err(|_| Unsigned)?,
        };
        let signature = Vec::try_from(signature).map_err(|_| Unsigned)?;
        signature.encode(&mut data).map_err(|_| Unsigned)?;
        Ok(data)
    }
}

/// Signs with an RSA key; without a hash with SHA-1, for servers that know nothing newer.
fn sign_blinded(
    pair: &RsaKeypair,
    hash: Option<HashAlg>,
    data: &[u8],
) -> Result<Signature, Unsigned> {
    let signature = match hash {
        None => blinded::<Sha1>(pair, data),
        Some(HashAlg::Sha256) => blinded::<Sha256>(pair, data),
        Some(_) => blinded::<Sha512>(pair, data),
    };
    Signature::new(Algorithm::Rsa { hash }, signature?.to_vec()).map_err(|_| Unsigned)
}

fn blinded<D: Digest + AssociatedOid>(
    pair: &RsaKeypair,
    data: &[u8],
) -> Result<pkcs1v15::Signature, Unsigned> {
    let key = pkcs1v15::SigningKey::<D>::try_from(pair).map_err(|_| Unsigned)?;
    key.try_sign_with_rng(&mut SysRng, data)
        .map_err(|_| Unsigned)
}

#[cfg(test)]
mod tests {
    use russh::keys::signature::Verifier as _;

    use super::*;

    #[test]
    fn an_rsa_signature_verifies_with_each_hash() {
        let key = include_str!("../../../../tests/transport/keys/rsa");
        let key = PrivateKey::from_openssh(key).expect("a key");
        let pair = key.key_data().rsa().expect("an RSA key");
        for hash in [None, Some(HashAlg::Sha256), Some(HashAlg::Sha512)] {
            let signature = sign_blinded(pair, hash, b"session");
            let signature = signature.unwrap_or_else(|Unsigned| panic!("{hash:?} does not sign"));
            let public = key.public_key().key_data();
            public.verify(b"session", &signature).expect("it verifies");
            public
                .verify(b"another", &signature)
                .expect_err("of another text");
        }
    }
}
