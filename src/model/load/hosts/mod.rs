//! The hosts of an inventory, ranges written out, each with its vars.

mod ranges;

use std::net::Ipv6Addr;

use serde_json::{Map, Value};

use ranges::Expansion;

use super::{Project, layer::known_hint, scope, settings};
use crate::{
    config::{
        inventory::{GroupSection, HostSection, Inventory, SshSection},
        values::{Entries, VarValue},
    },
    diagnostic::{Located, Place, Problem, Problems, SourceFile},
    model::{Host, Name},
};

/// A host and what it says to templates.
pub(super) struct Member {
    /// The host.
    pub host: Host,
    /// Its address as the file has it, which may be a range.
    pub written: Located<String>,
    /// Its vars: the inventory's, its groups', its own, `--set`.
    pub vars: Map<String, Value>,
}

/// The hosts, and the groups that they make.
pub(super) struct Members {
    /// In the inventory's order.
    pub hosts: Vec<Member>,
    /// The groups in the order in which the hosts name them.
    pub groups: Vec<Name>,
    /// The inventory's vars and `--set`, for what is about no host.
    pub vars: Map<String, Value>,
}

/// Reads `[hosts]`, `[groups]` and `[vars]`.
pub(super) fn resolve(
    project: &Project,
    file: &SourceFile,
    inventory: &Inventory,
    ssh: Option<&SshSection>,
    set: Map<String, Value>,
    problems: &mut Problems,
) -> Members {
    let mut hosts: Vec<(Member, Place)> = Vec::new();
    let mut groups: Vec<Name> = Vec::new();
    let own_vars = scope::vars(inventory.vars.as_ref(), problems);
    refuse_settings(inventory.vars.as_ref(), problems);

    let entries = inventory.hosts.as_ref().map(|hosts| hosts.0.as_slice());
    let entries = entries.unwrap_or_default();
    if entries.is_empty() {
        let place = inventory
            .hosts
            .as_ref()
            .map_or_else(|| file.place(0..0), |hosts| hosts.place.clone());
        problems.push(
            Problem::error("the inventory has no hosts")
                .at(&place, "no hosts")
                .hint("add `[hosts]` and a line such as `web-1 = { address = \"192.0.2.1\" }`"),
        );
    }
    for (name, section) in entries {
        let member_groups = read_groups(section, problems);
        for group in &member_groups {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        let host_vars = scope::vars(section.vars.as_ref(), problems);
        let group_vars = vars_of_groups(inventory, &member_groups, name, section, problems);
        let settings = settings::ssh(project, section, ssh, problems);
        let mut vars = own_vars.clone();
        vars.extend(group_vars);
        vars.extend(host_vars);
        vars.extend(set.clone());
        let Some(written) = address_of(name, section, problems) else {
            continue;
        };
        for (name, address) in names_and_addresses(name, written, problems) {
            let host = Host {
                name: name.into(),
                address,
                groups: member_groups.clone(),
                ssh: settings.clone(),
            };
            refuse_twins(&host, &hosts, section, problems);
            let member = Member {
                host,
                written: written.clone(),
                vars: vars.clone(),
            };
            hosts.push((member, section.place.clone()));
        }
    }
    check_groups(inventory, file, &groups, entries, problems);
    let mut vars = own_vars;
    vars.extend(set);
    Members {
        hosts: hosts.into_iter().map(|(member, _)| member).collect(),
        groups,
        vars,
    }
}

/// TOML's tables reach to the next header: what is meant for the top of the file becomes a var below `[vars]`.
fn refuse_settings(vars: Option<&Located<Entries<VarValue>>>, problems: &mut Problems) {
    for (key, value) in vars.iter().flat_map(|vars| &vars.0) {
        let is_setting = match key.as_str() {
            "recipes" => value.value.0.is_array(),
            "default" => value.value.0.is_boolean(),
            "extends" => value.value.0.is_string(),
            _ => false,
        };
        if is_setting {
            problems.push(
                Problem::error(format!("`{}` stands below `[vars]`", key.value))
                    .at(&key.place, "is read as a var")
                    .hint("move it to the top of the file, above the first `[…]`; a var needs another name"),
            );
        }
    }
}

fn read_groups(section: &HostSection, problems: &mut Problems) -> Vec<Name> {
    let mut groups: Vec<Name> = Vec::new();
    let texts = section.groups.as_ref().map(|groups| groups.as_slice());
    for text in texts.unwrap_or_default() {
        match text.parse::<Name>() {
            Ok(group) if &*group == "all" => problems.push(
                Problem::error("`all` is no group's name")
                    .at(&text.place, "every host is in it already"),
            ),
            Ok(group) if groups.contains(&group) => {}
            Ok(group) => groups.push(group),
            Err(error) => {
                problems.push(Problem::error(error.to_string()).at(&text.place, "not a name"));
            }
        }
    }
    groups
}

/// The address of an entry whose name is one.
fn address_of<'a>(
    name: &Located<String>,
    section: &'a Located<HostSection>,
    problems: &mut Problems,
) -> Option<&'a Located<String>> {
    if name.is_empty() || name.contains(char::is_control) {
        problems.push(
            Problem::error("a host's name is one line of text").at(&name.place, "not a name"),
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
fn names_and_addresses(
    name: &Located<String>,
    address: &Located<String>,
    problems: &mut Problems,
) -> Vec<(String, String)> {
    if !settings::is_address(address) || with_port(address).is_some() {
        problems.push(wrong_address(address));
    }
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
    match (names, addresses) {
        (Expansion::Single, Expansion::Single) => {
            vec![(name.value.clone(), address.value.clone())]
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
    let (user, rest) = match address.split_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, address.as_str()),
    };
    let (host, port) = with_port(rest).map_or((rest, None), |(host, port)| (host, Some(port)));
    if user.is_none() && port.is_none() {
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
        && ip.parse::<Ipv6Addr>().is_ok()
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

/// Two entries for one machine would be deployed to twice at once.
fn refuse_twins(
    host: &Host,
    others: &[(Member, Place)],
    section: &Located<HostSection>,
    problems: &mut Problems,
) {
    for (other, place) in others {
        let other = &other.host;
        if other.name == host.name {
            problems.push(
                Problem::error(format!("host `{}` is there twice", host.name))
                    .at(&section.place, "again")
                    .at(place, "first here")
                    .hint("its name comes out of two ranges, or of a range and a line of its own"),
            );
            return;
        }
        // Behind different jump hosts one private address is different machines.
        let key = |host: &Host| {
            (
                host.address.to_lowercase(),
                host.ssh.port.unwrap_or(22),
                host.ssh.proxy_jump.clone(),
            )
        };
        if key(other) == key(host) {
            let at = section
                .address
                .as_ref()
                .map_or(&section.place, |address| &address.place);
            problems.push(
                Problem::error(format!(
                    "`{}` and `{}` have the same address `{}`",
                    other.name, host.name, host.address
                ))
                .at(at, "the same address and port")
                .at(place, format!("`{}`", other.name))
                .hint("name a machine once; what it runs is for its groups to say"),
            );
            return;
        }
    }
}

/// What the groups of a host say. Two that disagree are a mistake, unless the host itself decides.
fn vars_of_groups(
    inventory: &Inventory,
    groups: &[Name],
    host: &Located<String>,
    section: &HostSection,
    problems: &mut Problems,
) -> Map<String, Value> {
    let own: Vec<&str> = section
        .vars
        .iter()
        .flat_map(|vars| &vars.0)
        .map(|(key, _)| key.as_str())
        .collect();
    let mut found: Vec<(&Name, &Located<String>, &Located<VarValue>)> = Vec::new();
    for group in groups {
        for (key, value) in group_vars(inventory, group) {
            let other = found.iter().find(|(_, known, _)| known.value == key.value);
            if let Some((other_group, other_key, other_value)) = other
                && other_value.value != value.value
                && !own.contains(&key.as_str())
            {
                problems.push(
                    Problem::error(format!(
                        "groups `{other_group}` and `{group}` give `{}` different values on `{}`",
                        key.value, host.value
                    ))
                    .at(&value.place, format!("from `{group}`"))
                    .at(&other_value.place, format!("from `{other_group}`"))
                    .hint(format!(
                        "set it on the host, which decides: `vars = {{ {} = … }}`",
                        other_key.value
                    )),
                );
            }
            found.push((group, key, value));
        }
    }
    found
        .into_iter()
        .map(|(_, key, value)| (key.value.clone(), value.value.0.clone()))
        .collect()
}

fn group_vars<'a>(
    inventory: &'a Inventory,
    group: &str,
) -> impl Iterator<Item = &'a (Located<String>, Located<VarValue>)> {
    let entries: Option<&Located<Entries<GroupSection>>> = inventory.groups.as_ref();
    let section = entries
        .and_then(|entries| entries.0.iter().find(|(name, _)| name.value == group))
        .map(|(_, section)| &section.value);
    section
        .and_then(|section| section.vars.as_ref())
        .into_iter()
        .flat_map(|vars| &vars.0)
}

fn check_groups(
    inventory: &Inventory,
    file: &SourceFile,
    groups: &[Name],
    hosts: &[(Located<String>, Located<HostSection>)],
    problems: &mut Problems,
) {
    for (host, _) in hosts {
        let names = match ranges::expand(host) {
            Ok(Expansion::Many(names)) => names,
            Ok(Expansion::Single) | Err(_) => vec![host.value.clone()],
        };
        for name in names {
            if groups.iter().any(|group| **group == *name) || name == "all" {
                problems.push(
                    Problem::error(format!("`{name}` is a host and a group"))
                        .at(&host.place, "the host")
                        .hint("rename one of them, so that `hosts = …` is clear"),
                );
            }
        }
    }
    let sections = inventory.groups.as_ref().map(|groups| groups.0.as_slice());
    for (name, section) in sections.unwrap_or_default() {
        scope::vars(section.vars.as_ref(), problems);
        // A group that was taken over from another environment may have no host in this one.
        let is_own = name.place.file.name() == file.name();
        if is_own && !groups.iter().any(|group| **group == *name.value) {
            let known: Vec<&str> = groups.iter().map(|group| &**group).collect();
            problems.push(
                Problem::error(format!("unknown group `{}`", name.value))
                    .at(&name.place, "no host is in it")
                    .hint(known_hint(name, "groups", known)),
            );
        }
    }
}
