//! `ProxyJump`, and the `ProxyCommand` that is one.

use std::fmt;

use super::ssh_config::{ConfigProblem, Value};

/// One hop as written: `[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::transport) struct JumpHost {
    pub(in crate::transport) user: Option<String>,
    pub(in crate::transport) host: String,
    pub(in crate::transport) port: Option<u16>,
}

/// `ssh -W %h:%p HOST` is a jump in its older form; what else a `ProxyCommand` does, we cannot do.
pub(in crate::transport) fn jump_of_command(value: &Value) -> Result<String, ConfigProblem> {
    let words: Vec<_> = value
        .words
        .iter()
        .map(String::as_str)
        .filter(|word| !["-q", "-T", "exec"].contains(word))
        .collect();
    match words[..] {
        ["none"] => Ok("none".to_owned()),
        ["ssh", "-W", "%h:%p" | "[%h]:%p", host] | ["ssh", host, "-W", "%h:%p" | "[%h]:%p"]
            if !host.starts_with('-') =>
        {
            Ok(host.to_owned())
        }
        _ => Err(value.problem("`ProxyCommand` is not supported; `ProxyJump` is")),
    }
}

impl JumpHost {
    /// Hops with commas between them, or `none`.
    pub(in crate::transport) fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.eq_ignore_ascii_case("none") || text.trim().is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(|hop| Self::parse(hop.trim())).collect()
    }

    /// `[user@]host[:port]` or `ssh://[user@]host[:port]`; an IPv6 address with a port is in brackets.
    fn parse(text: &str) -> Result<Self, String> {
        let hop = text.strip_prefix("ssh://").unwrap_or(text);
        let (user, rest) = match hop.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, hop),
        };
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            match inner.split_once(']') {
                Some((host, "")) => (host, None),
                Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
                None => (rest, None),
            }
        } else {
            match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            }
        };
        let port = match port {
            None => None,
            Some(port) => Some(
                port.parse()
                    .map_err(|_| format!("`{text}` has no valid port"))?,
            ),
        };
        if host.is_empty() {
            return Err(format!("`{text}` names no jump host"));
        }
        Ok(Self {
            user,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for JumpHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            None => f.write_str(&self.host),
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jump_hosts_are_read_as_openssh_reads_them() {
        for (text, hops) in [
            ("none", &[][..]),
            ("a", &["a"]),
            ("me@a:2222,b", &["me@a:2222", "b"]),
            ("ssh://me@a:22", &["me@a:22"]),
            ("[fe80::1]:2222", &["[fe80::1]:2222"]),
            ("fe80::1", &["fe80::1"]),
            ("a@b@c", &["a@b@c"]),
        ] {
            let parsed = JumpHost::parse_list(text).expect("well-formed");
            let shown: Vec<_> = parsed.iter().map(ToString::to_string).collect();
            assert_eq!(shown, hops, "{text}");
        }
        for text in ["a:port", "a:99999", "me@", "a,,b"] {
            assert!(JumpHost::parse_list(text).is_err(), "{text}");
        }
    }
}
