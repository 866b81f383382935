//! SSH sessions: the only module that knows russh.
//!
//! A [`Connector`] belongs to one run of shipit. It reads OpenSSH's own files (`~/.ssh/config`,
//! `known_hosts`), asks for each passphrase once, shares the sessions to jump hosts, and turns a
//! [`Host`](crate::model::Host) into a [`Session`]. A session runs commands, streams into them, holds
//! them, and opens tunnels; every wait of it has a deadline.
//!
//! What is resolved: the inventory's `[ssh]` first, then OpenSSH's configuration, then its defaults.
//!
//! `openssh` reads OpenSSH's files, `session` is a connection that is logged in, and `connect` leads from a
//! host to a session; each uses only those before it.

mod connect;
mod openssh;
mod session;

#[cfg(any(test, fuzzing))]
pub(crate) use openssh::fuzzing;

pub use connect::{ConnectError, Connector, Endpoint, NotAdded, OwnKey, Prompt, Tried};
pub use openssh::paths::Paths;
pub use session::{
    Deadline, Held, HeldEnd, InteractiveEnd, Output, PseudoTerminal, Refusal, Session,
    SessionError, Stdout, Streams, Tunnel, WindowSize,
};
