//! What goes wrong on a session that is up.

use std::{error::Error, io, sync::Arc, time::Duration};

use super::exec::MOST;
use crate::model::HostName;

/// Why something asked of a [`Session`](super::Session) did not come about.
///
/// A command that ran and exited with a status other than 0 is no error here.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Nothing came within the deadline.
    #[error("`{host}`: timed out after {} waiting for {what}", seconds(*after))]
    Timeout {
        /// The host.
        host: HostName,
        /// What was waited for: ``the exit status of `docker ps` ``.
        what: String,
        /// The deadline.
        after: Duration,
        /// Whether it was the connection that did not answer, and not a command that took its time.
        connection: bool,
    },
    /// The connection ended.
    #[error("lost the connection to `{host}` while waiting for {what}: {reason}")]
    Disconnected {
        /// The host.
        host: HostName,
        /// What was waited for.
        what: String,
        /// Why, as far as is known.
        reason: String,
    },
    /// The connection ended, and no other could be opened.
    #[error("lost the connection to `{host}` ({reason}) and could not connect again")]
    NotReconnected {
        /// The host.
        host: HostName,
        /// Why it ended, as far as is known.
        reason: String,
        /// What to type.
        hint: Option<String>,
        /// Why there is no other.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The server did not open a channel, or not start the command.
    #[error("`{host}` refused {what}: {refusal}")]
    Refused {
        /// The host.
        host: HostName,
        /// What was asked for.
        what: String,
        /// On what ground.
        refusal: Refusal,
    },
    /// The channel closed and no exit status came: whether the command did its work is not known.
    #[error("`{command}` ended on `{host}` without an exit status")]
    NoStatus {
        /// The host.
        host: HostName,
        /// The command, shortened.
        command: String,
        /// What it had printed to standard error.
        stderr: String,
    },
    /// A signal ended the command.
    #[error("`{command}` on `{host}` was ended by signal {signal}")]
    Killed {
        /// The host.
        host: HostName,
        /// The command, shortened.
        command: String,
        /// The signal's name without `SIG`.
        signal: String,
        /// What it had printed to standard error.
        stderr: String,
    },
    /// The command printed more than is read.
    #[error("`{command}` on `{host}` printed more than {} MiB, which is more than shipit reads", MOST / 1024 / 1024)]
    TooMuch {
        /// The host.
        host: HostName,
        /// The command, shortened.
        command: String,
    },
    /// What was to be sent could not be read on this side.
    #[error("could not read what to send to `{host}`")]
    Input {
        /// The host.
        host: HostName,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file could not be placed.
    #[error("could not write `{path}` on `{host}` (exit status {status}){}", quoted(.stderr))]
    Upload {
        /// The host.
        host: HostName,
        /// The file.
        path: String,
        /// The exit status of what writes it.
        status: u32,
        /// What that printed to standard error.
        stderr: String,
    },
}

/// On what ground a server refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One more command would be above the server's `MaxSessions`.
    #[error("no further session on this connection (sshd's MaxSessions)")]
    MaxSessions,
    /// The server forbids forwarding.
    #[error("TCP forwarding is disabled (sshd's AllowTcpForwarding or PermitOpen)")]
    Forbidden,
    /// The server could not reach the forwarding's target.
    #[error("nothing answers at {0}")]
    Unreachable(String),
    /// The server does not run commands for this account.
    #[error("this account may not run commands")]
    Exec,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl SessionError {
    /// Whether the host counts as unreachable, rather than as one on which a command failed.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Disconnected { .. } | Self::NotReconnected { .. } => true,
            Self::Timeout { connection, .. } => *connection,
            _ => false,
        }
    }

    /// What to type, or where to look.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { refusal, host, .. } => match refusal {
                Refusal::MaxSessions => Some(format!(
                    "set `MaxSessions 10` or more in /etc/ssh/sshd_config on `{host}`"
                )),
                Refusal::Forbidden => Some(format!(
                    "set `AllowTcpForwarding yes` in /etc/ssh/sshd_config on `{host}`"
                )),
                Refusal::Exec => Some(format!(
                    "look at the account's shell and for `ForceCommand` in /etc/ssh/sshd_config on `{host}`"
                )),
                Refusal::Unreachable(_) | Refusal::Other(_) => None,
            },
            Self::NotReconnected { hint, .. } => hint.clone(),
            Self::TooMuch { host, .. } => {
                Some(format!("run it on `{host}` by hand to see what it prints"))
            }
            _ => None,
        }
    }
}

fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

fn quoted(stderr: &str) -> String {
    let line = stderr.trim();
    if line.is_empty() {
        String::new()
    } else {
        format!(": {line}")
    }
}
