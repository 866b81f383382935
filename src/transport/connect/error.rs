//! Why a host could not be logged in to, and what to type.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::endpoint::Endpoint;
use crate::command::{quote, typed};

/// Why there is no session to a host.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name of the host leads to no address.
    #[error("no address found for `{}`", .endpoint.address)]
    Resolve {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No TCP connection came about.
    #[error("could not connect to {endpoint}")]
    Connect {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// Refused, no route, …
        #[source]
        source: io::Error,
    },
    /// The other side took longer than the connect timeout.
    #[error("{endpoint}: timed out after {} s waiting for {what}", .after.as_secs_f64())]
    Timeout {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// What was waited for.
        what: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The other side does not speak SSH as we do.
    #[error("the SSH handshake with {endpoint} failed: {reason}")]
    Handshake {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// Why.
        reason: String,
    },
    /// No `known_hosts` file has the key.
    #[error(
        "the {algorithm} host key of {endpoint} is not known: {fingerprint}{}",
        of_certificate(.useless_certificate.as_deref())
    )]
    HostKeyUnknown {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// The key's type.
        algorithm: String,
        /// The key's fingerprint, `SHA256:…`.
        fingerprint: String,
        /// Where it would have to be.
        known_hosts: PathBuf,
        /// The types of the keys that this host is known by.
        others: Vec<String>,
        /// Why the certificate that came with the key does not count.
        useless_certificate: Option<Box<str>>,
    },
    /// A `known_hosts` file has another key of this type.
    #[error(
        "the host key of {endpoint} has changed: it is now {fingerprint}, but {}:{line} has another",
        .known_hosts.display()
    )]
    HostKeyChanged {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// The name it has in the file.
        entry: String,
        /// The fingerprint of the key it shows now, `SHA256:…`.
        fingerprint: String,
        /// Where the other key is.
        known_hosts: PathBuf,
        /// The line there, from 1.
        line: usize,
    },
    /// A `known_hosts` file revokes the key, or the authority that signed it.
    #[error("the host key of {endpoint}, {fingerprint}, is revoked in {}:{line}", .known_hosts.display())]
    HostKeyRevoked {
        /// Who was to be reached.
        endpoint: Box<Endpoint>,
        /// The revoked key's fingerprint, `SHA256:…`.
        fingerprint: String,
        /// Where it is revoked.
        known_hosts: PathBuf,
        /// The line there, from 1.
        line: usize,
    },
    /// A `known_hosts` file could not be read.
    #[error("could not read the known_hosts file `{}`", .path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server took none of our keys.
    #[error("{endpoint} refused the login{}{}", tried_list(.tried), closing_words(.said.as_ref()))]
    AuthenticationRefused {
        /// Who was to be reached, and as whom.
        endpoint: Box<Endpoint>,
        /// What was tried, in order.
        tried: Vec<Tried>,
        /// What the server would have taken.
        methods: Vec<String>,
        /// What the server said when it closed the connection.
        said: Option<String>,
    },
    /// A private key named in the inventory cannot be used.
    #[error("could not use the key file `{}`: {reason}", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The server takes a key that we could not unlock.
    #[error("could not unlock the key file `{}`: {reason}", .path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no way past a jump host.
    #[error("could not connect through the jump host {jump}")]
    Jump {
        /// The jump host.
        jump: String,
        /// Why. Shared, as many hosts may be behind it.
        #[source]
        source: Arc<ConnectError>,
    },
    /// The jump hosts never come to one that is reached directly.
    #[error("{named_in}: the jump hosts of {host} {reason}")]
    EndlessJumps {
        /// Where they are named: a file and its line, or a key of the inventory.
        named_in: String,
        /// Who was to be reached.
        host: String,
        /// What is wrong with them.
        reason: String,
    },
    /// OpenSSH's configuration says what we cannot do.
    #[error("{}: {reason}", place(.file, *.line))]
    Config {
        /// The file.
        file: PathBuf,
        /// The line there, from 1; 0 for the file as a whole.
        line: usize,
        /// What it says.
        reason: String,
    },
}

/// One thing that was tried to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The key: a file, or an agent's key with its comment.
    pub key: String,
    /// What came of it.
    pub outcome: String,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.outcome)
    }
}

impl ConnectError {
    /// What to type, for this very host, user and port.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Resolve { endpoint, .. } => format!(
                "check the address, in the inventory or in OpenSSH's configuration; `{}` must print one",
                typed("getent hosts", [&*endpoint.address])
            ),
            Self::Connect { endpoint, .. } | Self::Timeout { endpoint, .. } => format!(
                "`{}` must work from here; check the address, the port and that sshd runs",
                endpoint.ssh_command()
            ),
            Self::Handshake { endpoint, .. } => {
                format!("`{}` shows more", endpoint.ssh_command_with("-v"))
            }
            Self::HostKeyUnknown {
                useless_certificate: Some(_),
                ..
            } => {
                "have the host's certificate signed anew (`ssh-keygen -s CA -h -n NAME`), or look \
                  at the `@cert-authority` line of its authority in known_hosts"
                    .to_owned()
            }
            Self::HostKeyUnknown {
                endpoint,
                known_hosts,
                ..
            } => hint_for_unknown_key(endpoint, known_hosts),
            Self::HostKeyChanged {
                entry, known_hosts, ..
            } => format!(
                "was the host reinstalled? Then type `ssh-keygen -R {} -f {}`; otherwise someone \
                 may be listening in",
                quote(entry),
                quote(&known_hosts.to_string_lossy())
            ),
            Self::HostKeyRevoked { .. } => {
                "give the host a new key; the revoked one may be in other hands".to_owned()
            }
            Self::KnownHosts { path, .. } => {
                format!("`{}`", typed("ls -l", [path.to_string_lossy()]))
            }
            Self::AuthenticationRefused {
                endpoint, tried, ..
            } => match tried.first() {
                None => format!(
                    "there was no key to try: load one with `ssh-add`, or name one as \
                     `identity_file` under [ssh]; `{}` shows what OpenSSH does",
                    endpoint.ssh_command_with("-v")
                ),
                Some(_) => format!(
                    "check the user and the key under [ssh]; `{}` brings a key there, `{}` shows \
                     what OpenSSH does",
                    endpoint.copy_id_command(),
                    endpoint.ssh_command_with("-v")
                ),
            },
            Self::KeyFile { path, .. } => {
                let path = quote(&path.to_string_lossy());
                format!("`ssh-keygen -yf {path}` must print its public key")
            }
            Self::Passphrase { path, .. } => format!(
                "type `{}` first, so that the agent has the key",
                typed("ssh-add", [path.to_string_lossy()])
            ),
            Self::Jump { source, .. } => return source.hint(),
            Self::EndlessJumps { .. } => "a jump host that is reached directly needs a `Host` \
                 section with `ProxyJump none`, above the line that sends the others through it"
                .to_owned(),
            Self::Config { .. } => {
                "set it under [ssh] in the inventory, or name another `config_file` there"
                    .to_owned()
            }
        };
        Some(hint)
    }
}

/// A line of a file, or the file as a whole.
pub(super) fn place(file: &Path, line: usize) -> String {
    match line {
        0 => file.display().to_string(),
        line => format!("{}:{line}", file.display()),
    }
}

fn tried_list(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return ": there was no key to try".to_owned();
    }
    let list: Vec<_> = tried.iter().map(ToString::to_string).collect();
    format!("; {}", list.join("; "))
}

fn hint_for_unknown_key(endpoint: &Endpoint, known_hosts: &Path) -> String {
    let mut ssh = endpoint.ssh_command();
    if !known_hosts.ends_with(".ssh/known_hosts") {
        let option = format!("UserKnownHostsFile={}", known_hosts.display());
        ssh = ssh.replacen("ssh ", &format!("ssh -o {} ", quote(&option)), 1);
    }
    format!(
        "compare the fingerprint with the host's own (there: `ssh-keygen -lf \
         /etc/ssh/ssh_host_ed25519_key.pub`), then type `{ssh}` once and answer yes, \
         or set `host_keys = \"accept-new\"` under [ssh] in the inventory"
    )
}

fn of_certificate(useless: Option<&str>) -> String {
    useless
        .map(|reason| format!("; its certificate does not count: {reason}"))
        .unwrap_or_default()
}

fn closing_words(said: Option<&String>) -> String {
    said.map(|said| format!("; {said}")).unwrap_or_default()
}
