//! Private key files: each read once in a run, and each passphrase asked for once.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use russh::keys::{
    Certificate, PrivateKey, PublicKey, agent::AgentIdentity, decode_secret_key,
    load_openssh_certificate, load_public_key,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::OnceCell, task::spawn_blocking};

use super::certificates::Certificates;
use crate::files;

/// Who is asked for passphrases.
pub trait Prompt: Send + Sync {
    /// The passphrase of a key file; `None` when there is nobody to ask, or they refuse.
    ///
    /// Called on a thread of its own, so it may block. It is called again, twice at most, when a
    /// passphrase was wrong.
    fn passphrase(&self, key: &Path) -> Option<SecretString>;
}

/// How often a passphrase may be wrong, OpenSSH's `NumberOfPasswordPrompts`.
const TRIES: usize = 3;

/// What is found out once, well or badly.
type Once<T, E> = OnceCell<Result<T, E>>;

/// A key file, shared by all who ask for it while it is read.
type Slot = Arc<Once<Arc<KeyFile>, Unreadable>>;

/// The key files of a run.
pub(in crate::transport) struct Keyring {
    prompt: Arc<dyn Prompt>,
    files: Mutex<HashMap<PathBuf, Slot>>,
}

/// Why a key file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not there, and neither is its public half.
    Missing,
    Other(String),
}

/// One key file, with what is beside it.
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    /// The public half, where it can be had without a passphrase.
    pub(super) public: Option<PublicKey>,
    /// The certificate beside it, `…-cert.pub`.
    certificate: Option<Certificate>,
    private: Private,
}

enum Private {
    /// There is only a public half: the private one is in the agent, or nowhere.
    Absent,
    Open(Arc<PrivateKey>),
    Locked {
        text: SecretString,
        unlocked: Once<Arc<PrivateKey>, String>,
    },
}

impl Keyring {
    pub(in crate::transport) fn new(prompt: Arc<dyn Prompt>) -> Self {
        Self {
            prompt,
            files: Mutex::default(),
        }
    }

    /// The key file, read when first asked for.
    pub(super) async fn file(&self, path: &Path) -> Result<Arc<KeyFile>, Unreadable> {
        let cell = {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(files.entry(path.to_owned()).or_default())
        };
        let path = path.to_owned();
        cell.get_or_init(|| async {
            spawn_blocking(move || KeyFile::read(path))
                .await
                .unwrap_or_else(|error| Err(Unreadable::Other(error.to_string())))
                .map(Arc::new)
        })
        .await
        .clone()
    }

    /// The private key of a locked file; the passphrase is asked for unless some connection has done so.
    pub(super) async fn unlock(&self, file: &KeyFile) -> Result<Arc<PrivateKey>, String> {
        let (text, unlocked) = match &file.private {
            Private::Open(key) => return Ok(Arc::clone(key)),
            Private::Absent => return Err("there is only its public half".to_owned()),
            Private::Locked { text, unlocked } => (text, unlocked),
        };
        unlocked
            .get_or_init(|| async {
                let prompt = Arc::clone(&self.prompt);
                let path = file.path.clone();
                let text = text.clone();
                spawn_blocking(move || ask(prompt.as_ref(), &path, &text))
                    .await
                    .unwrap_or_else(|error| Err(error.to_string()))
            })
            .await
            .clone()
    }
}

fn ask(prompt: &dyn Prompt, path: &Path, text: &SecretString) -> Result<Arc<PrivateKey>, String> {
    for _ in 0..TRIES {
        let Some(passphrase) = prompt.passphrase(path) else {
            return Err("it has a passphrase, and there was nobody to ask for it".to_owned());
        };
        let key = decode_secret_key(text.expose_secret(), Some(passphrase.expose_secret()));
        if let Ok(key) = key {
            return Ok(Arc::new(key));
        }
    }
    Err("the passphrase was wrong".to_owned())
}

impl KeyFile {
    /// The private key if no passphrase stands before it, or stands no more.
    pub(super) fn open(&self) -> Option<Arc<PrivateKey>> {
        match &self.private {
            Private::Open(key) => Some(Arc::clone(key)),
            Private::Locked { unlocked, .. } => unlocked.get()?.clone().ok(),
            Private::Absent => None,
        }
    }

    /// Whether there is a private key in the file at all.
    pub(super) fn has_private(&self) -> bool {
        !matches!(self.private, Private::Absent)
    }

    /// What a server may be shown for this key, whose public half is `public`, in the order of the offers:
    /// certificates first, as the server may know nothing but their authority.
    pub(super) fn shown(&self, public: &PublicKey, named: &Certificates) -> Vec<AgentIdentity> {
        let beside = self.certificate.iter().filter(|certificate| {
            !named.are_named && certificate.public_key() == public.key_data()
        });
        beside
            .chain(named.of(public))
            .map(|certificate| certificate.clone().into())
            .chain([public.clone().into()])
            .collect()
    }

    /// What the key is called when it is refused.
    pub(super) fn name_of(&self, shown: &AgentIdentity) -> String {
        let path = self.path.display();
        match shown {
            AgentIdentity::PublicKey { .. } => path.to_string(),
            AgentIdentity::Certificate { .. } => format!("{path} (certificate)"),
        }
    }

    fn read(path: PathBuf) -> Result<Self, Unreadable> {
        let beside = |suffix: &str| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        let certificate = load_openssh_certificate(beside("-cert.pub")).ok();
        let certified = certificate
            .as_ref()
            .map(|certificate| PublicKey::new(certificate.public_key().clone(), ""));
        let public_beside = load_public_key(beside(".pub")).ok().or(certified);
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let public = public_beside.ok_or(Unreadable::Missing)?;
                return Ok(Self {
                    path,
                    public: Some(public),
                    certificate,
                    private: Private::Absent,
                });
            }
            Err(error) => return Err(Unreadable::Other(error.to_string())),
        };
        // `IdentityFile` may name the public half of a key that is in the agent.
        if let Ok(public) = PublicKey::from_openssh(text.trim()) {
            return Ok(Self {
                path,
                public: Some(public),
                certificate,
                private: Private::Absent,
            });
        }
        match decode_secret_key(&text, None) {
            Ok(key) => Ok(Self {
                path,
                public: Some(key.public_key().clone()),
                certificate,
                private: Private::Open(Arc::new(key)),
            }),
            Err(_) if is_locked(&text) => {
                // OpenSSH's own format shows the public half without a passphrase.
                let inside = PrivateKey::from_openssh(&text)
                    .map(|key| key.public_key().clone())
                    .ok();
                Ok(Self {
                    path,
                    public: inside.or(public_beside),
                    certificate,
                    private: Private::Locked {
                        text: text.into(),
                        unlocked: OnceCell::new(),
                    },
                })
            }
            Err(error) => Err(Unreadable::Other(format!(
                "it holds no private key that shipit can read ({error})"
            ))),
        }
    }
}

/// Whether a private key is encrypted, in any of its formats: OpenSSH's, PKCS#8, PKCS#1 and `PuTTY`'s.
fn is_locked(text: &str) -> bool {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return key.is_encrypted();
    }
    let putty = text.starts_with("PuTTY-User-Key-File-")
        && text
            .lines()
            .any(|line| line.starts_with("Encryption:") && !line.ends_with("none"));
    putty
        || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}
