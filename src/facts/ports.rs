//! Which ports of a host are taken, and by what.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    sync::Arc,
};

use super::sockets::{Socket, sockets};
use crate::{
    command::RemoteCommand,
    model::{Publish, do_addresses_overlap, without_brackets},
};

/// Ports of a host that are taken, as one entry of a list has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenPort {
    /// The address; `None` for all of both families.
    pub ip: Option<String>,
    /// The port, or all of a range: a short text may name every port there is.
    pub ports: RangeInclusive<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The container that docker has it for; `None` for any other program.
    pub container: Option<Arc<str>>,
}

impl TakenPort {
    /// Whether a container cannot publish a port while these are taken.
    pub fn is_in_the_way_of(&self, publish: &Publish) -> bool {
        let wanted = publish.host_port;
        wanted.is_some_and(|port| self.ports.contains(&port))
            && publish.protocol == self.protocol
            && do_addresses_overlap(self.ip.as_deref(), publish.ip.as_deref())
    }
}

/// Reads the ports that containers publish out of what [`crate::docker::list_names`] printed.
pub fn parse_published(text: &str) -> Vec<TakenPort> {
    text.lines().flat_map(published_by).collect()
}

/// The ports that one line has.
fn published_by(line: &str) -> impl Iterator<Item = TakenPort> {
    let mut columns = line.splitn(3, ' ');
    let name = Arc::<str>::from(columns.next().unwrap_or_default());
    let ports = columns.nth(1).unwrap_or_default().split(", ");
    ports.filter_map(published).map(move |taken| TakenPort {
        container: Some(name.clone()),
        ..taken
    })
}

/// One entry of docker's column of ports: `0.0.0.0:80->80/tcp`, `[::]:8000-8002->8000-8002/tcp`, and without an
/// arrow a port that is not published.
fn published(entry: &str) -> Option<TakenPort> {
    let (host, inside) = entry.trim().split_once("->")?;
    let (_, protocol) = inside.rsplit_once('/')?;
    let (ip, ports) = host.rsplit_once(':')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let ip = Some(without_brackets(ip)).filter(|ip| !ip.is_empty());
    Some(TakenPort {
        ip: ip.map(str::to_owned),
        ports: first.parse().ok()?..=last.parse().ok()?,
        protocol: protocol.to_owned(),
        container: None,
    })
}

/// Prints the sockets of the host's own network.
pub fn read_sockets() -> RemoteCommand {
    RemoteCommand::new("cat").args(["/proc/net/tcp", "/proc/net/tcp6"])
}

/// Reads the ports that some program listens on out of what [`read_sockets`] printed.
pub fn parse_listening(table: &str) -> Vec<TakenPort> {
    let taken = |socket: Socket| {
        let ip = ip_of(socket.address)?;
        Some(TakenPort {
            // On `::` a socket takes the port for IPv4 as well.
            ip: (ip != IpAddr::V6(Ipv6Addr::UNSPECIFIED)).then(|| ip.to_canonical().to_string()),
            ports: socket.port..=socket.port,
            protocol: "tcp".to_owned(),
            container: None,
        })
    };
    let listening = sockets(table).filter(|socket| socket.state == "0A");
    listening.filter_map(taken).collect()
}

/// An address as the kernel prints it: each four bytes are one number of the machine, of which all that docker
/// runs on keep the lowest byte first.
fn ip_of(hexadecimal: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..hexadecimal.len()).step_by(8) {
        let word = u32::from_str_radix(hexadecimal.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    if let Ok(v4) = <[u8; 4]>::try_from(&bytes[..]) {
        return Some(IpAddr::V4(Ipv4Addr::from(v4)));
    }
    let v6 = <[u8; 16]>::try_from(&bytes[..]).ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(v6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(all: &[TakenPort]) -> Vec<String> {
        let ports = |taken: &TakenPort| match (taken.ports.start(), taken.ports.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let shown = |taken: &TakenPort| {
            format!(
                "{} {}/{} {}",
                taken.ip.as_deref().unwrap_or("all"),
                ports(taken),
                taken.protocol,
                taken.container.as_deref().unwrap_or("?")
            )
        };
        all.iter().map(shown).collect()
    }

    #[test]
    fn the_ports_of_containers_are_read_as_every_docker_writes_them() {
        let listed = "lb staging 0.0.0.0:80->80/tcp, :::80->80/tcp\n\
            other  [::]:8000-8001->8000-8001/tcp, 9/udp\n\
            dns  127.0.0.1:53->53/udp\n\
            web-r1 staging \n\
            old\n";
        assert_eq!(
            shown(&parse_published(listed)),
            [
                "0.0.0.0 80/tcp lb",
                ":: 80/tcp lb",
                ":: 8000-8001/tcp other",
                "127.0.0.1 53/udp dns",
            ]
        );
    }

    #[test]
    fn a_range_of_all_ports_is_one_entry() {
        let listed = "x  0.0.0.0:1-65535->1-65535/tcp";
        assert_eq!(shown(&parse_published(listed)), ["0.0.0.0 1-65535/tcp x"]);
    }

    #[test]
    fn the_ports_that_programs_listen_on_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
            \x20  0: 0100007F:1388 00000000:0000 0A 00000000:00000000\n\
            \x20  1: 00000000:0050 00000000:0000 0A 00000000:00000000\n\
            \x20  2: 0100007F:1389 0100007F:9C40 01 00000000:00000000\n\
            \x20  3: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0\n\
            \x20  4: 0000000000000000FFFF00000100000A:1F90 00000000000000000000000000000000:0000 0A 0:0\n\
            \x20  5: 000088FD000000000000000003010000:0051 00000000000000000000000000000000:0000 0A 0:0\n";
        assert_eq!(
            shown(&parse_listening(table)),
            [
                "127.0.0.1 5000/tcp ?",
                "0.0.0.0 80/tcp ?",
                "all 22/tcp ?",
                "10.0.0.1 8080/tcp ?",
                "fd88::103 81/tcp ?",
            ]
        );
    }

    #[test]
    fn a_port_is_in_the_way_where_addresses_overlap() {
        let taken = |ip: Option<&str>| TakenPort {
            ip: ip.map(str::to_owned),
            ports: 79..=80,
            protocol: "tcp".to_owned(),
            container: None,
        };
        let wants = |text: &str| text.parse::<Publish>().expect("a published port");
        for (ip, publish) in [
            (Some("0.0.0.0"), "80:80"),
            (Some("::"), "80:8080"),
            (None, "127.0.0.1:80:80"),
            (Some("0.0.0.0"), "127.0.0.1:80:80"),
            (Some("127.0.0.1"), "0.0.0.0:80:80"),
            (Some("10.0.0.1"), "10.0.0.1:80:80"),
            (Some("::1"), "[::1]:80:80"),
        ] {
            let is_in_the_way = taken(ip).is_in_the_way_of(&wants(publish));
            assert!(is_in_the_way, "{ip:?} {publish}");
        }
        for (ip, publish) in [
            (Some("0.0.0.0"), "81:80"),
            (Some("0.0.0.0"), "80:80/udp"),
            (Some("0.0.0.0"), "80"),
            (Some("10.0.0.1"), "127.0.0.1:80:80"),
            (Some("::1"), "0.0.0.0:80:80"),
        ] {
            let is_in_the_way = taken(ip).is_in_the_way_of(&wants(publish));
            assert!(!is_in_the_way, "{ip:?} {publish}");
        }
    }
}
