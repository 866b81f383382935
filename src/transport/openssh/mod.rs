//! OpenSSH's client files, read as `ssh` reads them. Nothing here opens a socket.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(super) mod known_hosts;
pub(super) mod paths;
pub(super) mod proxy_command;
pub(super) mod ssh_config;
pub(super) mod time;
pub(super) mod tokens;
