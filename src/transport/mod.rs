//! SSH sessions: the only module that knows russh.
//!
//! A [`Connector`] belongs to one run of shipit. It reads OpenSSH's own files (`~/.ssh/config`,
//! `known_hosts`), asks for each passphrase once, shares the sessions to jump hosts, and turns a
//! [`Host`](crate::model::Host) into a [`Session`]. A session runs commands, streams into them, holds
//! them, and opens tunnels; every wait of it has a deadline.
//!
//! What is resolved: the inventory's `[ssh]` first, then OpenSSH's configuration, then its defaults.

mod authentication;
mod channel;
mod client;
mod connect_error;
mod connection;
mod connector;
mod countdown;
mod destination;
mod dial;
mod exchange;
mod held;
mod host_key;
mod identity;
mod lines;
mod openssh;
mod places;
mod session;
mod session_error;
mod signing;
mod stdout;
mod stream;
mod tunnel;
mod upload;

pub use connect_error::{ConnectError, Tried};
pub use connector::Connector;
pub use destination::Endpoint;
pub use held::{Held, HeldEnd};
pub use identity::Prompt;
pub use openssh::paths::Paths;
pub use session::{Output, Session};
pub use session_error::{Refusal, SessionError};
pub use stdout::Stdout;
pub use tunnel::Tunnel;
