//! An inventory and those it `extends`, laid over each other.

use super::{Project, did_you_mean, unreadable};
use crate::{
    config::{
        self,
        inventory::{GroupSection, Inventory},
        section::Section,
        values::Entries,
    },
    diagnostic::{Located, Problem, Problems, SourceFile},
    model::Name,
};

/// The inventories of an environment as one.
pub(super) struct Layers {
    /// The environment's own file.
    pub file: SourceFile,
    /// What they say together.
    pub inventory: Inventory,
    /// Whether all of them are there and are TOML.
    pub is_whole: bool,
}

/// Reads the inventory `name` and all that it extends.
pub(super) fn read(project: &Project, name: &Name, problems: &mut Problems) -> Layers {
    let mut layers: Vec<(Name, Inventory)> = Vec::new();
    let mut own_file = None;
    let mut is_whole = true;
    let mut next = Some((name.clone(), None::<Located<String>>));
    while let Some((name, named_at)) = next.take() {
        let shown = format!("inventory/{name}.toml");
        let file = match config::read::<Inventory>(&project.root.join(&shown), &shown) {
            Ok(file) => file,
            Err(error) => {
                let problem = unreadable(&shown, &error);
                problems.push(match &named_at {
                    Some(at) => problem.at(&at.place, "named here"),
                    None => problem,
                });
                is_whole = false;
                break;
            }
        };
        is_whole &= file.is_toml;
        problems.extend(file.problems);
        own_file.get_or_insert(file.source);
        let extends = file.content.extends.clone();
        layers.push((name, file.content));
        let Some(extends) = extends else { break };
        match project.environment_name(&extends) {
            Ok(base) if layers.iter().any(|(known, _)| *known == base) => {
                let way: Vec<_> = layers.iter().map(|(name, _)| &**name).collect();
                problems.push(
                    Problem::error(format!(
                        "`extends` goes round: {} → {base}",
                        way.join(" → ")
                    ))
                    .at(&extends.place, "is extended by this one")
                    .hint("one of them must stand on its own"),
                );
                is_whole = false;
                break;
            }
            Ok(base) => next = Some((base, Some(extends))),
            Err(unknown) => {
                let hint = unknown.advice().map(str::to_owned);
                problems.push(
                    unknown
                        .at(&extends.place, "no such environment")
                        .maybe_hint(hint),
                );
                is_whole = false;
                break;
            }
        }
    }
    let inventory = layers
        .into_iter()
        .map(|(_, inventory)| inventory)
        .reduce(lay_over)
        .unwrap_or_default();
    Layers {
        file: own_file
            .unwrap_or_else(|| SourceFile::new(format!("inventory/{name}.toml"), String::new())),
        inventory,
        is_whole,
    }
}

/// `top` with all that it does not say taken from `base`: tables key by key, `recipes` and `[hosts]` as a
/// whole.
fn lay_over(top: Inventory, base: Inventory) -> Inventory {
    Inventory {
        extends: top.extends,
        default: top.default,
        recipes: top.recipes.or(base.recipes),
        hosts: top.hosts.or(base.hosts),
        groups: entries(top.groups, base.groups, |top: GroupSection, base| {
            GroupSection {
                vars: entries(top.vars, base.vars, |top, _| top),
            }
        }),
        ssh: section(top.ssh, base.ssh),
        vars: entries(top.vars, base.vars, |top, _| top),
        consul: section(top.consul, base.consul),
        images: section(top.images, base.images),
        releases: section(top.releases, base.releases),
        registries: entries(top.registries, base.registries, Section::over),
    }
}

fn section<T: Section>(top: Option<Located<T>>, base: Option<Located<T>>) -> Option<Located<T>> {
    match (top, base) {
        (Some(top), Some(base)) => Some(Located {
            value: top.value.over(base.value),
            place: top.place,
        }),
        (top, base) => top.or(base),
    }
}

fn entries<T>(
    top: Option<Located<Entries<T>>>,
    base: Option<Located<Entries<T>>>,
    merge: impl Fn(T, T) -> T,
) -> Option<Located<Entries<T>>> {
    let (top, mut base) = match (top, base) {
        (Some(top), Some(base)) => (top, base),
        (top, base) => return top.or(base),
    };
    for (key, value) in top.value.0 {
        let known = base
            .value
            .0
            .iter()
            .position(|(known, _)| known.value == key.value);
        let Some(index) = known else {
            base.value.0.push((key, value));
            continue;
        };
        let (_, old) = base.value.0.remove(index);
        let merged = Located {
            value: merge(value.value, old.value),
            place: value.place,
        };
        base.value.0.insert(index, (key, merged));
    }
    Some(base)
}

/// A hint for an unknown word among many.
pub(super) fn known_hint(word: &str, kind: &str, known: Vec<&str>) -> String {
    did_you_mean(word, known.iter().copied())
        .unwrap_or_else(|| format!("the {kind} are {}", crate::text::list(known)))
}
