//! Whether a balancer routes to an address, read from whatever it prints.

use crate::model::{HostAndPort, is_ipv6, is_same_address};

/// Whether `output` has `address:port` as a whole: `10.0.0.1:80` is neither in `110.0.0.1:80` nor in
/// `10.0.0.1:8080`. An IPv6 address may be in brackets, and spelled in any way. Comments of nginx's (`#` to the
/// end of the line) do not count.
pub fn routes_to(output: &str, address: &str, port: u16) -> bool {
    output
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .any(|line| has_plain(line, address, port) || has_in_brackets(line, address, port))
}

/// Whether a line has `address:port` as it is. `HAProxy` writes an IPv6 address so, too.
fn has_plain(line: &str, address: &str, port: u16) -> bool {
    let wanted = format!("{address}:{port}");
    let of_ipv6 = is_ipv6(address);
    let part_of_name = |c: char| {
        c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_' || (of_ipv6 && c == ':')
    };
    line.match_indices(&wanted).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(part_of_name) && ends_number(&line[start + wanted.len()..])
    })
}

/// Whether a line has `[ADDRESS]:port`, with whatever spelling of the address.
fn has_in_brackets(line: &str, address: &str, port: u16) -> bool {
    let after_port = format!(":{port}");
    line.split('[').skip(1).any(|rest| {
        let Some((inside, after)) = rest.split_once(']') else {
            return false;
        };
        is_same_address(inside, address) && after.strip_prefix(&after_port).is_some_and(ends_number)
    })
}

/// Whether a number ends where this follows it.
fn ends_number(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_ascii_digit())
}

/// The addresses that a balancer, which printed `output`, still lacks before a container with `ports` (each
/// in the container and on the host) can replace one with the ports `replaced`; `None` when it lacks none.
///
/// A balancer need not route to every port of a container, such as one for metrics. It must route to those
/// whose counterparts it routes to now, and to at least one.
pub fn missing(
    output: &str,
    address: &str,
    ports: &[(u16, u16)],
    replaced: &[(u16, u16)],
) -> Option<String> {
    let routed = |port: u16| routes_to(output, address, port);
    let has_counterpart = |inside: u16| {
        let mut counterparts = replaced.iter().filter(|(other, _)| *other == inside);
        counterparts.any(|(_, port)| routed(*port))
    };
    let unrouted = ports
        .iter()
        .find(|(inside, port)| has_counterpart(*inside) && !routed(*port));
    if let Some((_, port)) = unrouted {
        return Some(HostAndPort::new(address, *port).to_string());
    }
    if ports.iter().any(|(_, port)| routed(*port)) {
        return None;
    }
    let all: Vec<_> = ports
        .iter()
        .map(|(_, port)| HostAndPort::new(address, *port).to_string())
        .collect();
    Some(all.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_only_as_a_whole() {
        let output =
            "upstream app {\n  server 10.0.0.1:32768 max_fails=1;\n  # server 10.0.0.3:80;\n}\n";
        assert!(routes_to(output, "10.0.0.1", 32768));
        for (address, port) in [
            ("10.0.0.1", 3276),
            ("0.0.0.1", 32768),
            ("10.0.0.3", 80),
            ("10.0.0.2", 32768),
        ] {
            assert!(!routes_to(output, address, port), "{address}:{port}");
        }
        assert!(routes_to("http://10.0.0.1:80/", "10.0.0.1", 80));
        assert!(!routes_to("110.0.0.1:80", "10.0.0.1", 80));
    }

    #[test]
    fn an_ipv6_address_is_found_as_balancers_write_it() {
        for output in [
            "server [fd88:88::103]:32786;",
            "server [FD88:0088:0:0::103]:32786 max_fails=1;",
            "http://[fd88:88::103]:32786/",
            "server web fd88:88::103:32786 check",
        ] {
            assert!(routes_to(output, "fd88:88::103", 32786), "{output}");
        }
        for output in [
            "server [fd88:88::103]:3278;",
            "server [fd88:88::103]:327860;",
            "server [fd88:88::104]:32786;",
            "server [fd88:88::103];",
            "# server [fd88:88::103]:32786;",
            "server [fd88:88::103",
            "2001:fd88:88::103:32786",
        ] {
            assert!(!routes_to(output, "fd88:88::103", 32786), "{output}");
        }
        let lacking = missing("server [fd88::1]:1;", "fd88::1", &[(80, 2)], &[(80, 1)]);
        assert_eq!(lacking.as_deref(), Some("[fd88::1]:2"));
    }

    #[test]
    fn a_new_container_must_be_routed_to_on_every_port_that_the_old_one_is() {
        let (new, old) = (
            [(5000, 32771), (9100, 32772)],
            [(5000, 32768), (9100, 32769)],
        );
        // The ports that the balancer routes to, and the address it still lacks.
        let cases: [(&[u16], Option<&str>); 7] = [
            (&[], Some("10.0.0.1:32771 or 10.0.0.1:32772")),
            (&[32768], Some("10.0.0.1:32771")),
            (&[32768, 32771], None),
            (&[32768, 32769, 32771], Some("10.0.0.1:32772")),
            (&[32768, 32769, 32771, 32772], None),
            (&[32769, 32771], Some("10.0.0.1:32772")),
            (&[32772], None),
        ];
        for (routed, expected) in cases {
            let lines: Vec<_> = routed
                .iter()
                .map(|port| format!("server 10.0.0.1:{port};"))
                .collect();
            assert_eq!(
                missing(&lines.join("\n"), "10.0.0.1", &new, &old).as_deref(),
                expected,
                "{routed:?}"
            );
        }
        // A version without the second port does not need a route to it.
        let output = "server 10.0.0.1:32769; server 10.0.0.1:32771;";
        assert_eq!(missing(output, "10.0.0.1", &new[..1], &old), None);
    }
}
