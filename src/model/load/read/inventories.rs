//! The inventory of an environment, and those that it `extends`.

use super::{Project, file::unreadable};
use crate::{
    config::{self, inventory::Inventory},
    diagnostic::{Located, Problem, Problems, SourceFile},
    model::Name,
};

/// The inventories of an environment.
pub(in super::super) struct Inventories {
    /// The environment's own file.
    pub file: SourceFile,
    /// Its own first, then the one that it extends, and so on.
    pub layers: Vec<Inventory>,
    /// Whether all of them are there and are TOML.
    pub is_whole: bool,
}

/// The most inventories that may extend one another: more is a slip of some generator.
const MOST_LAYERS: usize = 100;

/// Reads the inventory `name` and all that it extends.
pub(in super::super) fn inventories(
    project: &Project,
    name: &Name,
    problems: &mut Problems,
) -> Inventories {
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
                let chain: Vec<_> = layers.iter().map(|(name, _)| &**name).collect();
                problems.push(
                    Problem::error(format!(
                        "`extends` forms a cycle: {} → {base}",
                        chain.join(" → ")
                    ))
                    .at(&extends.place, "is extended by this one")
                    .hint("one of them must stand on its own"),
                );
                is_whole = false;
                break;
            }
            Ok(_) if layers.len() >= MOST_LAYERS => {
                problems.push(
                    Problem::error(format!(
                        "more than {MOST_LAYERS} inventories extend one another"
                    ))
                    .at(&extends.place, "and one more"),
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
    Inventories {
        file: own_file
            .unwrap_or_else(|| SourceFile::new(format!("inventory/{name}.toml"), String::new())),
        layers: layers.into_iter().map(|(_, inventory)| inventory).collect(),
        is_whole,
    }
}
