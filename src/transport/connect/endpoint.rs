//! Who is connected to, as errors and hints name it.

use std::fmt;

/// Who is connected to: what errors and hints name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The remote user.
    pub user: String,
    /// The host name or address, after `HostName`.
    pub address: String,
    /// The TCP port.
    pub port: u16,
    /// The jump hosts, as `ssh -J` takes them.
    pub jumps: Option<String>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            address,
            port,
            jumps: _,
        } = self;
        if address.contains(':') {
            write!(f, "{user}@[{address}]:{port}")
        } else {
            write!(f, "{user}@{address}:{port}")
        }
    }
}

impl Endpoint {
    /// How one would log in by hand.
    pub(super) fn ssh_command(&self) -> String {
        self.ssh_command_with("")
    }

    pub(super) fn ssh_command_with(&self, option: &str) -> String {
        let mut words = vec!["ssh".to_owned()];
        if !option.is_empty() {
            words.push(option.to_owned());
        }
        if let Some(jumps) = &self.jumps {
            words.push(format!("-J {jumps}"));
        }
        if self.port != 22 {
            words.push(format!("-p {}", self.port));
        }
        words.push(format!("{}@{}", self.user, self.address));
        words.join(" ")
    }

    pub(super) fn copy_id_command(&self) -> String {
        let mut words = vec!["ssh-copy-id".to_owned()];
        if let Some(jumps) = &self.jumps {
            words.push(format!("-o ProxyJump={jumps}"));
        }
        if self.port != 22 {
            words.push(format!("-p {}", self.port));
        }
        words.push(format!("{}@{}", self.user, self.address));
        words.join(" ")
    }
}
