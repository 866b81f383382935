//! `ProxyJump`: the hosts on the way to another one.

use std::fmt;

use crate::text;

/// One hop of `ProxyJump` as it is written: `[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JumpHost {
    /// The account there.
    pub user: Option<String>,
    /// Its name or address, without brackets.
    pub host: String,
    /// The port of its sshd.
    pub port: Option<u16>,
}

impl JumpHost {
    /// Hops with commas between them, or `none`.
    ///
    /// # Errors
    ///
    /// The hop that `ssh` would refuse, and why.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.eq_ignore_ascii_case("none") || text.trim().is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(|hop| Self::parse(hop.trim())).collect()
    }

    /// What [`parse_list`](Self::parse_list) reads.
    pub fn list(jumps: &[Self]) -> String {
        let jumps: Vec<_> = jumps.iter().map(ToString::to_string).collect();
        match &jumps[..] {
            [] => "none".to_owned(),
            jumps => jumps.join(","),
        }
    }

    /// `[user@]host[:port]` or `ssh://[user@]host[:port]`; an IPv6 address with a port is in brackets.
    fn parse(text: &str) -> Result<Self, String> {
        let hop = text.strip_prefix("ssh://");
        let hop = hop.map_or(text, |url| url.strip_suffix('/').unwrap_or(url));
        let (user, rest) = match hop.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, hop),
        };
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            match inner.split_once(']') {
                Some((host, "")) => (host, None),
                Some((host, rest)) => match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None => ("", None),
                },
                None => ("", None),
            }
        } else {
            match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            }
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => {
                let port = port.parse().ok().filter(|port| *port != 0);
                Some(port.ok_or_else(|| format!("`{text}` has no valid port"))?)
            }
        };
        let user_is_one = user.as_ref().is_none_or(|user| is_name(user));
        if !is_name(host) || !user_is_one {
            return Err(format!("`{text}` names no jump host"));
        }
        Ok(Self {
            user,
            host: host.to_owned(),
            port,
        })
    }
}

/// A name that begins with `-` would be an option in the commands that hints show.
fn is_name(text: &str) -> bool {
    let ends_it = |c: char| c.is_whitespace() || c == '/' || text::acts(c);
    !text.is_empty() && !text.starts_with('-') && !text.contains(ends_it)
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
            ("ssh://me@a:22/", &["me@a:22"]),
            ("[fe80::1]:2222", &["[fe80::1]:2222"]),
            ("fe80::1", &["fe80::1"]),
            ("a@b@c", &["a@b@c"]),
            ("a:", &["a"]),
        ] {
            let parsed = JumpHost::parse_list(text).expect("well-formed");
            let shown: Vec<_> = parsed.iter().map(ToString::to_string).collect();
            assert_eq!(shown, hops, "{text}");
        }
        for text in [
            "a:port", "a:99999", "a:0", "[a]:0", "[a]22", "[::1", "a/b", "a b", ",", "me@", "@a",
            "-a", "a,,b",
        ] {
            assert!(JumpHost::parse_list(text).is_err(), "{text}");
        }
    }
}
