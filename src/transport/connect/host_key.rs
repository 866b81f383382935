//! Whether a server is the one we mean.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs, io,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use russh::{
    Preferred,
    keys::{
        Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate,
        ssh_key::certificate::CertType,
    },
};

use crate::{
    files,
    model::HostKeyPolicy,
    transport::{
        openssh::known_hosts::{KnownHosts, Names, Verdict},
        session::client::HostKeyProblem,
    },
};

/// The host key types we accept, in OpenSSH's order. `ssh-rsa` with SHA-1 is not among them, as in
/// OpenSSH since 8.8; an RSA key itself is, signed with SHA-2.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// The `known_hosts` files of a run, each read once, and written by one connection at a time.
#[derive(Debug, Default)]
pub(super) struct KnownHostsFiles {
    read: Mutex<HashMap<Vec<PathBuf>, Arc<KnownHosts>>>,
    writing: Mutex<()>,
    /// Keys that were accepted and could not be added: they hold for this run at least.
    accepted: Mutex<Vec<Accepted>>,
}

#[derive(Debug)]
struct Accepted {
    names: Names,
    key: PublicKey,
    file: PathBuf,
    reason: String,
    is_reported: bool,
}

/// Host keys that were accepted, but could not be added to a `known_hosts` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdded {
    /// The hosts, by the names they would have in the file.
    pub hosts: Vec<String>,
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

impl KnownHostsFiles {
    fn get(&self, files: &[PathBuf]) -> Result<Arc<KnownHosts>, (PathBuf, io::Error)> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(files) {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(KnownHosts::read(files)?);
        read.insert(files.to_vec(), Arc::clone(&known));
        Ok(known)
    }

    /// The keys that were not added since this was last asked, by file.
    pub(super) fn not_added(&self) -> Vec<NotAdded> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<NotAdded> = Vec::new();
        for entry in accepted.iter_mut().filter(|entry| !entry.is_reported) {
            entry.is_reported = true;
            let host = entry.names.entry.clone();
            let same = |it: &&mut NotAdded| it.file == entry.file && it.reason == entry.reason;
            match found.iter_mut().find(same) {
                Some(there) => there.hosts.push(host),
                None => found.push(NotAdded {
                    hosts: vec![host],
                    file: entry.file.clone(),
                    reason: entry.reason.clone(),
                }),
            }
        }
        found
    }

    fn forget(&self) {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// The check of one server's key.
#[derive(Debug)]
pub(super) struct HostKeyVerifier {
    names: Names,
    policy: HostKeyPolicy,
    /// The user's files, then the system's.
    files: Vec<PathBuf>,
    /// The user's first file, where a new key goes.
    first: PathBuf,
    known: Arc<KnownHosts>,
    shared: Arc<KnownHostsFiles>,
}

impl HostKeyVerifier {
    pub(super) fn new(
        names: Names,
        policy: HostKeyPolicy,
        files: &[PathBuf],
        first: PathBuf,
        shared: &Arc<KnownHostsFiles>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        Ok(Self {
            names,
            policy,
            files: files.to_vec(),
            first,
            known: shared.get(files)?,
            shared: Arc::clone(shared),
        })
    }

    /// The algorithms to offer: those of keys we know the host by come first, so that it shows one of
    /// these and not another that we would have to call unknown. Certificates are asked for only where
    /// an authority may vouch for the host.
    pub(super) fn preferred(&self) -> Preferred {
        let known = self.known.algorithms(&self.names);
        let is_known = |algorithm: &Algorithm| match algorithm {
            Algorithm::Rsa { .. } => known
                .iter()
                .any(|known| matches!(known, Algorithm::Rsa { .. })),
            algorithm => known.contains(algorithm),
        };
        let (first, second): (Vec<_>, Vec<_>) = ALGORITHMS.into_iter().partition(is_known);
        let certificates = if self.known.authorities(&self.names).is_empty() {
            Vec::new()
        } else {
            ALGORITHMS.to_vec()
        };
        Preferred {
            key: Cow::Owned([first, second].concat()),
            host_key_certificates: Cow::Owned(certificates),
            ..Preferred::DEFAULT
        }
    }

    /// Whether the server may go on. russh has verified by then that it holds the key.
    pub(super) fn check(&self, shown: &PublicKeyOrCertificate) -> Result<(), HostKeyProblem> {
        let key = shown.public_key();
        let mut useless = None;
        if let Some(certificate) = shown.certificate() {
            let authority = PublicKey::new(certificate.signature_key().clone(), "");
            for key in [&key, &authority] {
                if let Some(place) = self.known.revoked(&self.names, key) {
                    return Err(HostKeyProblem::Revoked {
                        fingerprint: fingerprint(key),
                        place,
                    });
                }
            }
            match self.vouched(certificate) {
                Ok(()) => return Ok(()),
                // As in OpenSSH, the key inside may still be known by itself.
                Err(reason) => useless = Some(reason),
            }
        }
        match self.known.check(&self.names, &key) {
            Verdict::Unknown { others } if self.accepts(&others) => self.add(&key),
            verdict => judge(verdict, &key),
        }
        .map_err(|problem| problem.with_certificate(useless))
    }

    /// A host that is known by a key of another type is not new, so `accept-new` is not about it.
    fn accepts(&self, others: &[Algorithm]) -> bool {
        self.policy == HostKeyPolicy::AcceptNew && others.is_empty()
    }

    /// Whether a certificate makes the host known; the error says why not, with the first of OpenSSH's reasons.
    fn vouched(&self, certificate: &Certificate) -> Result<(), String> {
        if certificate.cert_type() != CertType::Host {
            return Err("it is not a host certificate".to_owned());
        }
        let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let authorities = self.known.authorities(&self.names);
        let mut fingerprints = authorities
            .iter()
            .map(|key| key.fingerprint(HashAlg::Sha256));
        if !fingerprints.any(|known| known == authority) {
            return Err(format!(
                "its authority {authority} is none of this host's in known_hosts"
            ));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        if now < certificate.valid_after() {
            return Err(format!(
                "it is not valid before {}",
                date(certificate.valid_after())
            ));
        }
        if now >= certificate.valid_before() {
            return Err(format!(
                "it has expired on {}",
                date(certificate.valid_before())
            ));
        }
        let principals = certificate.valid_principals();
        // An empty list means any host, as `ssh-keygen -h` without `-n` makes it.
        if !principals.is_empty() && !principals.contains(&self.names.principal) {
            return Err(format!(
                "it is issued to {}, not to {}",
                principals.join(", "),
                self.names.principal
            ));
        }
        // None is known for a host, and what is critical must be understood by whoever accepts the certificate.
        let options = certificate.critical_options();
        if !options.is_empty() {
            let names: Vec<_> = options.keys().map(String::as_str).collect();
            return Err(format!(
                "it has critical options that are not supported: {}",
                names.join(", ")
            ));
        }
        certificate
            .validate_at(now, [&authority])
            .map_err(|_| "its signature is wrong".to_owned())
    }

    /// Adds a new key, after a look whether another connection of ours has done so meanwhile.
    fn add(&self, key: &PublicKey) -> Result<(), HostKeyProblem> {
        let _writing = self
            .shared
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let failed = |(file, source)| HostKeyProblem::Unread { file, source };
        let now = KnownHosts::read(&self.files).map_err(failed)?;
        match now.check(&self.names, key) {
            Verdict::Unknown { others } if self.accepts(&others) => match self.append(key) {
                Ok(()) => {
                    self.shared.forget();
                    Ok(())
                }
                Err(error) => self.accept_for_this_run(key, error.to_string()),
            },
            verdict => judge(verdict, key),
        }
    }

    /// As OpenSSH does when it cannot write the file, but the host keeps its key for as long as we run.
    fn accept_for_this_run(&self, key: &PublicKey, reason: String) -> Result<(), HostKeyProblem> {
        let mut accepted = self
            .shared
            .accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match accepted.iter().find(|entry| entry.names == self.names) {
            Some(entry) if entry.key.key_data() == key.key_data() => Ok(()),
            Some(entry) => {
                let others = vec![entry.key.algorithm()];
                judge(Verdict::Unknown { others }, key)
            }
            None => {
                accepted.push(Accepted {
                    names: self.names.clone(),
                    key: key.clone(),
                    file: self.first.clone(),
                    reason,
                    is_reported: false,
                });
                Ok(())
            }
        }
    }

    fn append(&self, key: &PublicKey) -> io::Result<()> {
        if let Some(folder) = self.first.parent()
            && !folder.exists()
        {
            create_private_folder(folder)?;
        }
        let ends_well = match files::read_or_null(&self.first) {
            Ok(bytes) => bytes.last().is_none_or(|last| *last == b'\n'),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(error),
        };
        let mut key = key.clone();
        key.set_comment("");
        let key = key.to_openssh().map_err(io::Error::other)?;
        let newline = if ends_well { "" } else { "\n" };
        let line = format!("{newline}{} {}\n", self.names.entry, key.trim_end());
        // One write, so that another program that appends at the same time cannot cut it in two.
        open_to_append(&self.first)?.write_all(line.as_bytes())
    }
}

fn judge(verdict: Verdict, key: &PublicKey) -> Result<(), HostKeyProblem> {
    let fingerprint = fingerprint(key);
    match verdict {
        Verdict::Known => Ok(()),
        Verdict::Changed(place) => Err(HostKeyProblem::Changed { fingerprint, place }),
        Verdict::Revoked(place) => Err(HostKeyProblem::Revoked { fingerprint, place }),
        Verdict::Unknown { others } => Err(HostKeyProblem::Unknown {
            fingerprint,
            algorithm: key.algorithm().to_string(),
            others: others.iter().map(ToString::to_string).collect(),
            useless_certificate: None,
        }),
    }
}

#[cfg(unix)]
fn create_private_folder(folder: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(unix)]
fn open_to_append(file: &std::path::Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
}

/// A day as people write it; what no calendar has stays a number.
fn date(seconds: u64) -> String {
    let second = i64::try_from(seconds).ok();
    let time = second.and_then(|second| Timestamp::from_second(second).ok());
    time.map_or(seconds.to_string(), |time| {
        time.strftime("%Y-%m-%d %H:%M UTC").to_string()
    })
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}
