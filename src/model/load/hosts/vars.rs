//! Vars: the tables of the files, and `--set`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::read::RawRecipe;
use crate::{
    config::{
        inventory::Inventory,
        suggest::did_you_mean,
        values::{Entries, VarValue},
    },
    diagnostic::{Located, Place, Problem, Problems, SourceFile},
    model::{Name, template::HELPERS},
    text::list,
};

/// What the command line changes.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--set KEY=VALUE`: vars that go before those of all files.
    pub set: Vec<(String, String)>,
    /// Whether they are for several environments, so that one may have no use for a name.
    pub for_several: bool,
}

/// Names that are taken, so that no var can have them.
const RESERVED: [&str; 13] = [
    "host",
    "hosts",
    "groups",
    "environment",
    "preview",
    "release",
    "container",
    "this",
    "else",
    "as",
    "true",
    "false",
    "null",
];

/// The vars of a table, their names checked.
pub(in super::super) fn read(
    entries: Option<&Located<Entries<VarValue>>>,
    problems: &mut Problems,
) -> Map<String, Value> {
    let entries = entries
        .map(|entries| entries.0.as_slice())
        .unwrap_or_default();
    for (name, _) in entries {
        if let Some(problem) = wrong_var_name(name) {
            problems.push(problem.at(&name.place, "not a name for a var"));
        }
    }
    entries
        .iter()
        .map(|(name, value)| (name.value.clone(), value.value.0.clone()))
        .collect()
}

/// Whether a var may have this name.
pub fn is_var_name(name: &str) -> bool {
    wrong_var_name(name).is_none()
}

fn wrong_var_name(name: &str) -> Option<Problem> {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !is_word {
        return Some(
            Problem::error(format!("{name:?} cannot be the name of a var"))
                .hint("a letter or `_` first, then letters, digits, `_` or `-`"),
        );
    }
    (RESERVED.contains(&name) || HELPERS.contains(&name)).then(|| {
        Problem::error(format!("`{name}` means something else in templates"))
            .hint("take another name for the var")
    })
}

/// `--set` as vars.
pub(in super::super) fn overrides(
    overrides: &Overrides,
    inventory: &Inventory,
    recipes: &[RawRecipe],
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut set = Map::new();
    for (key, value) in &overrides.set {
        if let Some(problem) = wrong_var_name(key) {
            problems.push(problem.at(&command_line(key, value), "not a name for a var"));
            continue;
        }
        if value.contains('\0') {
            problems
                .push(Problem::error("a NUL byte in a value").at(&command_line(key, value), ""));
        }
        let is_text = declared(inventory, recipes, key).any(Value::is_string);
        let text = || Value::from(value.as_str());
        let typed = if is_text {
            text()
        } else {
            typed(value).unwrap_or_else(text)
        };
        set.insert(key.clone(), typed);
    }
    set
}

/// A boolean or a number as a file would have it, if it is printed as it was typed: `1.10` is a text.
fn typed(text: &str) -> Option<Value> {
    let value = serde_json::from_str::<Value>(text).ok()?;
    let printed = value.to_string();
    ((value.is_boolean() || value.is_number()) && printed == text).then_some(value)
}

fn command_line(key: &str, value: &str) -> Place {
    let text = format!("--set {key}={value}");
    SourceFile::new("command line", text).place(6..6 + key.len())
}

/// What `--set` names and nothing uses is a slip: the run would go on without it. `named` is every word in a
/// template.
pub(in super::super) fn refuse_unused(
    environment: &Name,
    overrides: &Overrides,
    inventory: &Inventory,
    recipes: &[RawRecipe],
    named: &BTreeSet<String>,
    problems: &mut Problems,
) {
    let declared = || all_vars(inventory, recipes).map(|(name, _)| name.value.as_str());
    let all_declared = || {
        let declared: BTreeSet<_> = declared().collect();
        (!declared.is_empty()).then(|| format!("the vars are {}", list(declared)))
    };
    let named = named.iter().map(String::as_str);
    let known: BTreeSet<_> = declared()
        .chain(named)
        .filter(|name| wrong_var_name(name).is_none())
        .collect();
    for (key, value) in &overrides.set {
        if wrong_var_name(key).is_none() && !known.contains(key.as_str()) {
            let problem = if overrides.for_several {
                Problem::warning(format!("nothing in `{environment}` uses `{key}`"))
            } else {
                Problem::error(format!("nothing uses `{key}`"))
            };
            problems.push(
                problem
                    .at(&command_line(key, value), "in no template and no `[vars]`")
                    .maybe_hint(did_you_mean(key, known.iter().copied()).or_else(&all_declared)),
            );
        }
    }
}

/// What the files have under the name of a var.
fn declared<'a>(
    inventory: &'a Inventory,
    recipes: &'a [RawRecipe],
    key: &'a str,
) -> impl Iterator<Item = &'a Value> {
    all_vars(inventory, recipes)
        .filter(move |(name, _)| name.value == key)
        .map(|(_, value)| &value.value.0)
}

pub(in super::super) fn all_vars<'a>(
    inventory: &'a Inventory,
    recipes: &'a [RawRecipe],
) -> impl Iterator<Item = &'a (Located<String>, Located<VarValue>)> {
    let of_hosts = inventory.hosts.iter().flat_map(|hosts| &hosts.0);
    let of_groups = inventory.groups.iter().flat_map(|groups| &groups.0);
    let tables = recipes
        .iter()
        .map(|recipe| &recipe.file.content.vars)
        .chain([&inventory.vars])
        .chain(of_hosts.map(|(_, host)| &host.vars))
        .chain(of_groups.map(|(_, group)| &group.vars));
    tables.flatten().flat_map(|vars| &vars.0)
}
