//! Addresses of hosts, and addresses with ports, as they are written.

mod jump_host;
mod url;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

pub use jump_host::JumpHost;
pub use url::Url;

/// A host part and a port. An IPv6 address is shown in brackets, as its own colons would hide the port's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// The host name or address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl HostAndPort {
    /// This host and this port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for HostAndPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// An IPv6 address without the brackets that it is written in; any other text as it is.
pub fn without_brackets(text: &str) -> &str {
    let inside = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inside.filter(|inside| is_ipv6(inside)).unwrap_or(text)
}

/// Whether a text is an IPv6 address, which may name a zone: `fe80::1%eth0`.
pub fn is_ipv6(text: &str) -> bool {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

/// Whether two texts are one address. An IPv6 address has several spellings.
pub fn is_same_address(one: &str, other: &str) -> bool {
    let ip = |text: &str| without_brackets(text).parse::<IpAddr>().ok();
    match (ip(one), ip(other)) {
        (Some(one), Some(other)) => one.to_canonical() == other.to_canonical(),
        _ => one == other,
    }
}

/// Whether two addresses that are listened on have one in common: `None` is all of them, and the unspecified one all of
/// its family.
pub fn do_addresses_overlap(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    let ip = |text: &str| without_brackets(text).parse::<IpAddr>().ok();
    match (ip(one), ip(other)) {
        (Some(one), Some(other)) if one.is_ipv4() == other.is_ipv4() => {
            one == other || one.is_unspecified() || other.is_unspecified()
        }
        _ => is_same_address(one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_shown_in_brackets_before_a_port() {
        for (host, shown) in [
            ("10.0.0.1", "10.0.0.1:80"),
            ("web.example", "web.example:80"),
            ("fd88::1", "[fd88::1]:80"),
            ("fe80::1%eth0", "[fe80::1%eth0]:80"),
        ] {
            assert_eq!(HostAndPort::new(host, 80).to_string(), shown);
        }
    }

    #[test]
    fn brackets_go_from_ipv6_addresses_alone() {
        for (text, address) in [
            ("[fd88::1]", "fd88::1"),
            ("[::1]", "::1"),
            ("[fe80::1%eth0]", "fe80::1%eth0"),
            ("fd88::1", "fd88::1"),
            ("[1:2]", "[1:2]"),
            ("[10.0.0.1]", "[10.0.0.1]"),
            ("10.0.0.[1:3]", "10.0.0.[1:3]"),
        ] {
            assert_eq!(without_brackets(text), address);
        }
    }

    #[test]
    fn one_address_has_many_spellings() {
        for (one, other) in [
            ("fd88:88::103", "FD88:0088:0:0::103"),
            ("[fd88::1]", "fd88::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("web.example", "web.example"),
        ] {
            assert!(is_same_address(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("fd88::1", "fd88::10"),
            ("10.0.0.1", "10.0.0.2"),
            ("", "::"),
        ] {
            assert!(!is_same_address(one, other), "{one} {other}");
        }
    }
}
