//! The groups that hosts are in, and what `[groups]` says of them.

use serde_json::{Map, Value};

use super::{
    ranges::{self, Expansion},
    vars,
};
use crate::{
    config::{
        inventory::{GroupSection, HostSection, Inventory},
        suggest::did_you_mean_or_all,
        values::{Entries, VarValue},
    },
    diagnostic::{Located, Problem, Problems, SourceFile},
    model::Name,
};

pub(super) fn read(section: &HostSection, problems: &mut Problems) -> Vec<Name> {
    let mut groups: Vec<Name> = Vec::new();
    let texts = section.groups.as_ref().map(|groups| groups.as_slice());
    for text in texts.unwrap_or_default() {
        match text.parse::<Name>() {
            Ok(group) if &*group == "all" => problems.push(
                Problem::error("`all` cannot name a group")
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

/// What the groups of a host say. Two that disagree are a mistake, unless the host itself decides.
pub(super) fn vars_of(
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

pub(super) fn check(
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
        vars::read(section.vars.as_ref(), problems);
        // A group that was taken over from another environment may have no host in this one.
        let is_own = name.place.file.name() == file.name();
        if is_own && !groups.iter().any(|group| **group == *name.value) {
            let known: Vec<&str> = groups.iter().map(|group| &**group).collect();
            problems.push(
                Problem::error(format!("unknown group `{}`", name.value))
                    .at(&name.place, "no host is in it")
                    .hint(did_you_mean_or_all(name, "groups", known)),
            );
        }
    }
}
