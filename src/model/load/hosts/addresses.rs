//! The names and addresses of an entry of `[hosts]`.

use std::net::Ipv4Addr;

use super::ranges::{self, Expansion};
use crate::{
    config::inventory::HostSection,
    diagnostic::{Located, Problem, Problems},
    model::{is_ipv6, without_brackets},
    text,
};

/// The address of an entry whose name is one.
pub(super) fn address_of<'a>(
    name: &Located<String>,
    section: &'a Located<HostSection>,
    problems: &mut Problems,
) -> Option<&'a Located<String>> {
    if name.is_empty() || name.contains(|c: char| text::acts(c) || "\n\t,".contains(c)) {
        problems.push(
            Problem::error("a host's name is one line of text without commas")
                .at(&name.place, "not a name"),
        );
        return None;
    }
    if section.address.is_none() {
        problems.push(
            Problem::error(format!("host `{}` has no address", name.value))
                .at(&section.place, "`address` is missing")
                .hint("add `address = \"…\"`: the host name or IP address for SSH"),
        );
    }
    section.address.as_ref()
}

/// The names and addresses that an entry stands for.
pub(super) fn names_and_addresses(
    name: &Located<String>,
    address: &Located<String>,
    problems: &mut Problems,
) -> Vec<(String, String)> {
    let names = match ranges::expand(name) {
        Ok(expansion) => expansion,
        Err(why) => {
            problems.push(Problem::error(why).at(&name.place, "in this name"));
            return Vec::new();
        }
    };
    let addresses = match ranges::expand(address) {
        Ok(expansion) => expansion,
        Err(why) => {
            problems.push(Problem::error(why).at(&address.place, "in this address"));
            return Vec::new();
        }
    };
    let is_right = match &addresses {
        Expansion::Single => is_address(without_brackets(address)) && with_port(address).is_none(),
        Expansion::Many(all) => all
            .iter()
            .all(|it| is_address(it) && with_port(it).is_none()),
    };
    if !is_right {
        problems.push(wrong_address(address));
    }
    match (names, addresses) {
        (Expansion::Single, Expansion::Single) => {
            let address = without_brackets(address).to_owned();
            vec![(name.value.clone(), address)]
        }
        (Expansion::Many(names), Expansion::Many(addresses)) if names.len() == addresses.len() => {
            names.into_iter().zip(addresses).collect()
        }
        (Expansion::Many(names), Expansion::Many(addresses)) => {
            problems.push(
                Problem::error(format!(
                    "{} names but {} addresses",
                    names.len(),
                    addresses.len()
                ))
                .at(&name.place, format!("{} names", names.len()))
                .at(&address.place, format!("{} addresses", addresses.len())),
            );
            Vec::new()
        }
        (Expansion::Many(names), Expansion::Single) => {
            problems.push(
                Problem::error(format!("{} hosts would share one address", names.len()))
                    .at(&address.place, "has no range")
                    .hint("give it a range of the same length: `10.0.0.[1:50]`"),
            );
            Vec::new()
        }
        (Expansion::Single, Expansion::Many(_)) => {
            problems.push(
                Problem::error("one host with a range of addresses")
                    .at(&address.place, "has a range")
                    .hint("give the name a range of the same length: `\"web-[01:50]\"`"),
            );
            Vec::new()
        }
    }
}

fn wrong_address(address: &Located<String>) -> Problem {
    let problem = Problem::error(format!("{:?} is not an address", address.value))
        .at(&address.place, "expected a host name or an IP address");
    let url = address.strip_prefix("ssh://");
    let rest = url.map_or(address.as_str(), |url| url.trim_end_matches('/'));
    let (user, rest) = match rest.split_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let (host, port) = with_port(rest).map_or((rest, None), |(host, port)| (host, Some(port)));
    let host = without_brackets(host);
    let says_more = url.is_some() || user.is_some() || port.is_some();
    let can_be = match ranges::expand(host) {
        Ok(Expansion::Single) => is_address(host),
        Ok(Expansion::Many(all)) => all.iter().all(|it| is_address(it)),
        Err(_) => false,
    };
    if !says_more || !can_be || user.is_some_and(|user| !is_user(user)) {
        return problem;
    }
    let user = user.map(|user| format!(", user = \"{user}\""));
    let port = port.map(|port| format!(", port = {port}"));
    problem.hint(format!(
        "write `address = \"{host}\"{}{}`",
        user.unwrap_or_default(),
        port.unwrap_or_default()
    ))
}

/// The two parts of `HOST:PORT` and `[IPV6]:PORT`. The colons of an IPv6 address and of a range divide no
/// port.
fn with_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(ip) = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'))
        && is_ipv6(ip)
    {
        return Some((ip, port));
    }
    let outside_ranges = host.split('[').enumerate().map(|(index, part)| {
        let after = part.split_once(']').map_or("", |(_, after)| after);
        if index == 0 { part } else { after }
    });
    let has_colon = outside_ranges.into_iter().any(|part| part.contains(':'));
    (!has_colon && !host.is_empty()).then_some((host, port))
}

/// Whether a text can be a user's name in a hint.
fn is_user(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "/:'\"\\".contains(c))
}

/// The longest name of a host, in bytes (RFC 1035).
const LONGEST_NAME: usize = 253;

/// Whether a text can be an IP address, a host name, or a name of `ssh_config`. Four numbers are an IPv4 address or
/// nothing, and what begins with `-` would be an option.
pub(in super::super) fn is_address(text: &str) -> bool {
    let can_be_typed = |c: char| {
        !c.is_whitespace() && !text::acts(c) && !"@/'\"`$;&|<>()\\*?!#%,={}[]^~".contains(c)
    };
    let labels: Vec<_> = text.split('.').collect();
    let is_number = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
    let is_ip = is_ipv6(text) || text.parse::<Ipv4Addr>().is_ok();
    if is_ip || labels.len() == 4 && labels.iter().all(is_number) {
        return is_ip;
    }
    let has_name = !text.is_empty() && text.len() <= LONGEST_NAME;
    has_name
        && !text.starts_with(['-', '.'])
        && !text.contains("..")
        && text.chars().all(can_be_typed)
}
