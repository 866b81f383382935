//! Whether a balancer routes to an address, read from whatever it prints.

/// Whether `output` has `address:port` as a whole: `10.0.0.1:80` is neither in `110.0.0.1:80` nor in
/// `10.0.0.1:8080`. Comments of nginx's (`#` to the end of the line) do not count.
pub fn routes_to(output: &str, address: &str, port: u16) -> bool {
    let wanted = format!("{address}:{port}");
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    output
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .any(|line| {
            line.match_indices(&wanted).any(|(start, _)| {
                let before = line[..start].chars().next_back();
                let after = line[start + wanted.len()..].chars().next();
                !before.is_some_and(part_of_name) && !after.is_some_and(|c| c.is_ascii_digit())
            })
        })
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
        return Some(format!("{address}:{port}"));
    }
    if ports.iter().any(|(_, port)| routed(*port)) {
        return None;
    }
    let all: Vec<_> = ports
        .iter()
        .map(|(_, port)| format!("{address}:{port}"))
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
