//! Published ports in docker's notation.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::do_addresses_overlap;

/// A published port, as in `--publish [IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`; `HOST_PORT` may be
/// `auto`, which docker does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Publish {
    /// The host address it binds to; all of them when absent.
    pub ip: Option<String>,
    /// The port on the host; any free one when absent.
    pub host_port: Option<u16>,
    /// Whether the port on the host is one that shipit chooses and that stays (`auto`).
    pub auto: bool,
    /// The port in the container.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ip) = &self.ip {
            write!(f, "{ip}:")?;
        }
        match self.host_port {
            Some(port) => write!(f, "{port}:")?,
            None if self.auto => f.write_str("auto:")?,
            None if self.ip.is_some() => f.write_str(":")?,
            None => {}
        }
        write!(f, "{}", self.container_port)?;
        if self.protocol == "tcp" {
            Ok(())
        } else {
            write!(f, "/{}", self.protocol)
        }
    }
}

impl From<Publish> for String {
    fn from(publish: Publish) -> Self {
        publish.to_string()
    }
}

impl TryFrom<String> for Publish {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Publish {
    type Err = String;

    /// Reads one port in docker's notation.
    fn from_str(text: &str) -> Result<Self, String> {
        let ports = Self::each(text).map_err(|why| why.fact)?;
        match <[Self; 1]>::try_from(ports) {
            Ok([port]) => Ok(port),
            Err(_) => Err("it is a range of ports".to_owned()),
        }
    }
}

/// Why a text is not a published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongPort {
    /// What is wrong.
    pub fact: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl WrongPort {
    fn new(fact: impl Into<String>) -> Self {
        Self {
            fact: fact.into(),
            hint: None,
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl Publish {
    /// Whether both would bind one port of the host: the same number and protocol, at addresses of which one is the
    /// other or has it in it.
    pub fn excludes(&self, other: &Self) -> bool {
        self.host_port.is_some()
            && self.host_port == other.host_port
            && self.protocol == other.protocol
            && do_addresses_overlap(self.ip.as_deref(), other.ip.as_deref())
    }

    /// Reads docker's notation, where two ranges of the same length stand for as many ports.
    ///
    /// # Errors
    ///
    /// What docker would refuse, and what only docker could fill in: one port of a range.
    pub fn each(text: &str) -> Result<Vec<Self>, WrongPort> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = protocol.to_ascii_lowercase();
        if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
            return Err(WrongPort::new(format!("`{protocol}` is not a protocol"))
                .hint("docker knows `tcp`, `udp` and `sctp`"));
        }
        // An IPv6 address has colons of its own.
        let (rest, container) = ports
            .rsplit_once(':')
            .map_or((None, ports), |(rest, container)| (Some(rest), container));
        let (ip, host) = match rest.map(|rest| rest.rsplit_once(':').ok_or(rest)) {
            None => (None, None),
            Some(Ok((ip, host))) => (Some(ip), Some(host).filter(|host| !host.is_empty())),
            Some(Err(host)) => (None, Some(host)),
        };
        if let Some(ip) = ip {
            check_ip(ip, &text[ip.len()..])?;
        }
        let container = range(container)?;
        let auto = host == Some("auto");
        let host = host.filter(|_| !auto).map(range).transpose()?;
        let count = container.clone().count();
        if let Some(host) = &host
            && host.clone().count() != count
        {
            let wrong = WrongPort::new("its two ranges have different lengths");
            return Err(if count == 1 {
                wrong.hint(format!("for any free port write `{}`", container.start()))
            } else {
                wrong
            });
        }
        if count > MOST_PORTS {
            return Err(WrongPort::new(format!("more than {MOST_PORTS} ports")));
        }
        let each = container.enumerate().map(|(index, container_port)| Self {
            ip: ip.map(str::to_owned),
            host_port: host.clone().and_then(|mut host| host.nth(index)),
            auto,
            container_port,
            protocol: protocol.clone(),
        });
        Ok(each.collect())
    }
}

/// The most ports of one range: docker runs a process for each.
const MOST_PORTS: usize = 1000;

/// docker takes an IPv6 address in brackets alone, at least up to version 20.10.
fn check_ip(ip: &str, rest: &str) -> Result<(), WrongPort> {
    let bracketed = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
    if bracketed.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()) || ip.parse::<Ipv4Addr>().is_ok()
    {
        return Ok(());
    }
    Err(if ip.is_empty() {
        WrongPort::new("the address before the first colon is empty")
    } else if ip.parse::<Ipv6Addr>().is_ok() {
        WrongPort::new("an IPv6 address is written in brackets")
            .hint(format!("write `[{ip}]{rest}`"))
    } else if ip == "localhost" {
        WrongPort::new("`localhost` is not an IP address").hint(format!("write `127.0.0.1{rest}`"))
    } else {
        WrongPort::new(format!("`{ip}` is not an IP address"))
    })
}

fn range(text: &str) -> Result<RangeInclusive<u16>, WrongPort> {
    let port = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<u16>() {
            Ok(port) if is_number && port > 0 => Ok(port),
            _ if is_number => Err(WrongPort::new(format!("{text} is not within 1 to 65535"))),
            _ if text.is_empty() => Err(WrongPort::new("a port is missing")),
            _ => Err(WrongPort::new(format!("`{text}` is not a port"))),
        }
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err(WrongPort::new(format!("the range `{text}` is empty")));
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ports_read_and_print_as_docker_writes_them() {
        for text in [
            "80:80",
            "80",
            "127.0.0.1:8080:80",
            "53:53/udp",
            "127.0.0.1::80",
            "[::1]:80:80",
            "auto:80",
            "127.0.0.1:auto:53/udp",
        ] {
            assert_eq!(
                text.parse::<Publish>().map(|publish| publish.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "",
            "a",
            "80:",
            ":80",
            "0",
            "70000",
            "80:80/icmp",
            "80-90:80-90",
            "80/",
            "+80",
            "80:80/tcp/udp",
            "localhost:80:80",
            "10.0.0.300:80:80",
            "10.0.0.01:80:80",
            "::1:80:80",
            "[::1:80:80",
            "[fe80::1%eth0]:80:80",
            "[10.0.0.1]:80:80",
            ":80:80",
            "web:80:80",
            "1:2:3:",
            "auto",
            "80:auto",
            "Auto:80",
        ] {
            assert!(text.parse::<Publish>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn ranges_are_as_many_ports() {
        let each = |text: &str| {
            Publish::each(text)
                .map(|ports| ports.iter().map(Publish::to_string).collect::<Vec<_>>())
        };
        let many = |ports: &[&str]| Ok(ports.iter().map(|&port| port.to_owned()).collect());
        assert_eq!(each("8000-8001:80-81"), many(&["8000:80", "8001:81"]));
        assert_eq!(
            each("[::1]:8000-8001:80-81/UDP"),
            many(&["[::1]:8000:80/udp", "[::1]:8001:81/udp"])
        );
        assert_eq!(each("3000-3001"), many(&["3000", "3001"]));
        assert_eq!(each("auto:80-81"), many(&["auto:80", "auto:81"]));
        assert_eq!(each("127.0.0.1::80-80"), many(&["127.0.0.1::80"]));
        assert_eq!(
            each("8000-8999:8000-8999").map(|ports| ports.len()),
            Ok(1000)
        );
        for text in [
            "8000-8001:80-82",
            "8000-8001:80",
            "8001-8000:80-81",
            "8000-:80",
            "1-2-3",
            "65535-65536",
            "1-65535:1-65535",
        ] {
            assert!(each(text).is_err(), "{text}");
        }
    }
}
