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
}
