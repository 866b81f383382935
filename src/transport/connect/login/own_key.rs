//! An SSH key of the user's, for what is no login: to open what was sealed for it.

use std::{path::Path, sync::Arc};

use russh::keys::{PrivateKey, ssh_key::LineEnding};
use secrecy::SecretString;

use super::identity::{KeyFile, Keyring, Unreadable};

/// A private key file of the user's.
pub struct OwnKey(Arc<KeyFile>);

impl OwnKey {
    /// The key at a path; `None` where there is no private key.
    pub(in crate::transport) async fn read(
        keyring: &Keyring,
        path: &Path,
    ) -> Result<Option<Self>, String> {
        match keyring.file(path).await {
            Ok(file) => Ok(file.has_private().then_some(Self(file))),
            Err(Unreadable::Missing) => Ok(None),
            Err(Unreadable::Other(why)) => Err(why),
        }
    }

    /// The public half as a line of OpenSSH's, where it can be had without a passphrase.
    pub fn public(&self) -> Option<String> {
        self.0.public.as_ref()?.to_openssh().ok()
    }

    /// The private key in OpenSSH's form, if no passphrase stands before it, or stands no more.
    pub fn open(&self) -> Option<Result<SecretString, String>> {
        self.0.open().map(|key| plain(&key))
    }

    /// The same; the passphrase is asked for, once in a run.
    pub(in crate::transport) async fn unlock(
        &self,
        keyring: &Keyring,
    ) -> Result<SecretString, String> {
        plain(keyring.unlock(&self.0).await?.as_ref())
    }
}

fn plain(key: &PrivateKey) -> Result<SecretString, String> {
    let text = key.to_openssh(LineEnding::LF);
    let text =
        text.map_err(|error| format!("it cannot be read as a key of OpenSSH's ({error})"))?;
    Ok(SecretString::from(text.as_str()))
}
