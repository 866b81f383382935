//! Who is connected to, as errors and hints name it.

use std::fmt;

use crate::command::quote;

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
            words.push(format!("-J {}", quote(jumps)));
        }
        if self.port != 22 {
            words.push(format!("-p {}", self.port));
        }
        words.push(quote(&format!("{}@{}", self.user, self.address)));
        words.join(" ")
    }

    pub(super) fn copy_id_command(&self) -> String {
        let mut words = vec!["ssh-copy-id".to_owned()];
        if let Some(jumps) = &self.jumps {
            words.push(format!("-o {}", quote(&format!("ProxyJump={jumps}"))));
        }
        if self.port != 22 {
            words.push(format!("-p {}", self.port));
        }
        words.push(quote(&format!("{}@{}", self.user, self.address)));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_type_name_what_a_shell_would_take_apart_in_quotes() {
        let endpoint = Endpoint {
            user: "CORP\\alice".into(),
            address: "web-1".into(),
            port: 2222,
            jumps: Some("bob@$(id)".into()),
        };
        assert_eq!(
            endpoint.ssh_command(),
            r"ssh -J 'bob@$(id)' -p 2222 'CORP\alice@web-1'"
        );
        assert_eq!(
            endpoint.copy_id_command(),
            r"ssh-copy-id -o 'ProxyJump=bob@$(id)' -p 2222 'CORP\alice@web-1'"
        );
    }
}
