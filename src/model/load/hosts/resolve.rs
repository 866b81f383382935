//! `[hosts]`, `[groups]` and `[vars]` put together.

use std::{collections::HashMap, net::Ipv6Addr};

use serde_json::{Map, Value};

use super::{
    super::read::Project,
    addresses::{address_of, names_and_addresses},
    groups,
    member::{Member, Members},
    ssh, vars,
};
use crate::{
    config::{
        inventory::{HostSection, Inventory},
        values::{Entries, VarValue},
    },
    diagnostic::{Located, Place, Problem, Problems, SourceFile},
    model::{Host, HostName, JumpHost, Name},
};

/// Reads `[hosts]`, `[groups]` and `[vars]`.
pub(in super::super) fn resolve(
    project: &Project,
    file: &SourceFile,
    inventory: &Inventory,
    set: Map<String, Value>,
    problems: &mut Problems,
) -> Members {
    let mut hosts: Vec<(Member, Place)> = Vec::new();
    let mut known = Known::default();
    let mut group_names: Vec<Name> = Vec::new();
    let own_vars = vars::read(inventory.vars.as_ref(), problems);
    refuse_settings(inventory.vars.as_ref(), problems);

    let general = inventory.ssh.as_ref().map(|ssh| &ssh.value);
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
        let member_groups = groups::read(section, problems);
        for group in &member_groups {
            if !group_names.contains(group) {
                group_names.push(group.clone());
            }
        }
        let host_vars = vars::read(section.vars.as_ref(), problems);
        let group_vars = groups::vars_of(inventory, &member_groups, name, section, problems);
        let settings = ssh::settings(project, section, general, problems);
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
            known.add(hosts.len(), &host, &hosts, section, problems);
            let member = Member {
                host,
                written: written.clone(),
                vars: vars.clone(),
            };
            hosts.push((member, section.place.clone()));
        }
    }
    groups::check(inventory, file, &group_names, entries, problems);
    let mut vars = own_vars;
    vars.extend(set);
    Members {
        hosts: hosts.into_iter().map(|(member, _)| member).collect(),
        groups: group_names,
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

/// The hosts so far, by what no two may share. Fleets are large, and each host is compared with all others.
#[derive(Default)]
struct Known {
    by_name: HashMap<HostName, usize>,
    by_machine: HashMap<Machine, usize>,
}

/// An address and a port. Behind different jump hosts one private address is different machines.
type Machine = (String, u16, Option<Vec<JumpHost>>);

/// The one spelling of an address: IPv6 has several.
fn canonical(address: &str) -> String {
    address
        .parse::<Ipv6Addr>()
        .map_or_else(|_| address.to_lowercase(), |ip| ip.to_string())
}

impl Known {
    /// Adds the host `index`. Two entries for one machine would be deployed to twice at once.
    fn add(
        &mut self,
        index: usize,
        host: &Host,
        others: &[(Member, Place)],
        section: &Located<HostSection>,
        problems: &mut Problems,
    ) {
        let machine = (
            canonical(&host.address),
            host.ssh.port.unwrap_or(22),
            host.ssh.proxy_jump.clone(),
        );
        let same_name = *self.by_name.entry(host.name.clone()).or_insert(index);
        let same_machine = *self.by_machine.entry(machine).or_insert(index);
        if same_name < index
            && let Some((_, place)) = others.get(same_name)
        {
            problems.push(
                Problem::error(format!("host `{}` is defined twice", host.name))
                    .at(&section.place, "again")
                    .at(place, "first here")
                    .hint("two ranges give this name, or a range and a separate line"),
            );
        } else if same_machine < index
            && let Some((other, place)) = others.get(same_machine)
        {
            let at = section
                .address
                .as_ref()
                .map_or(&section.place, |address| &address.place);
            let other = &other.host.name;
            problems.push(
                Problem::error(format!(
                    "`{other}` and `{}` have the same address `{}`",
                    host.name, host.address
                ))
                .at(at, "the same address and port")
                .at(place, format!("`{other}`"))
                .hint("list each machine once; its groups say what it runs"),
            );
        }
    }
}
