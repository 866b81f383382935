//! The certificates that `CertificateFile` names.

use std::path::{Path, PathBuf};

use russh::keys::{Certificate, PublicKey, agent::AgentIdentity, load_openssh_certificate};
use tokio::task::spawn_blocking;

use crate::transport::connect::error::Tried;

/// The certificates that are named, read.
pub(super) struct Certificates {
    /// Whether some are named, which then count instead of those beside keys.
    pub(super) are_named: bool,
    read: Vec<(PathBuf, Certificate)>,
}

impl Certificates {
    /// Reads the files. One that cannot be used is noted, as the server may take another key.
    pub(super) async fn read(files: &[PathBuf], tried: &mut Vec<Tried>) -> Self {
        let mut read = Vec::new();
        for file in files {
            let path = file.clone();
            let certificate = spawn_blocking(move || {
                load_openssh_certificate(path).map_err(|error| error.to_string())
            });
            match certificate
                .await
                .unwrap_or_else(|error| Err(error.to_string()))
            {
                Ok(certificate) => read.push((file.clone(), certificate)),
                Err(reason) => tried.push(note(
                    file,
                    format!("it holds no certificate that shipit can read ({reason})"),
                )),
            }
        }
        Self {
            are_named: !files.is_empty(),
            read,
        }
    }

    /// Those for a key.
    pub(super) fn of<'a>(&'a self, public: &'a PublicKey) -> impl Iterator<Item = &'a Certificate> {
        let certificates = self.read.iter().map(|(_, certificate)| certificate);
        certificates.filter(|certificate| certificate.public_key() == public.key_data())
    }

    /// Whether this is one of them, in an agent.
    pub(super) fn contain(&self, identity: &AgentIdentity) -> bool {
        match identity {
            AgentIdentity::PublicKey { .. } => false,
            AgentIdentity::Certificate { certificate, .. } => {
                self.read.iter().any(|(_, known)| known == certificate)
            }
        }
    }

    /// Notes those that none of these keys is for.
    pub(super) fn note_unused(&self, keys: &[PublicKey], tried: &mut Vec<Tried>) {
        let unused = self.read.iter().filter(|(_, certificate)| {
            keys.iter()
                .all(|key| key.key_data() != certificate.public_key())
        });
        tried.extend(unused.map(|(file, _)| {
            let outcome = "it is a certificate for another key than those to try";
            note(file, outcome.to_owned())
        }));
    }
}

fn note(file: &Path, outcome: String) -> Tried {
    Tried {
        key: file.display().to_string(),
        outcome,
    }
}
