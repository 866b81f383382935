//! What is wrong in a project beside its environments.

use super::super::{
    layer,
    read::{self, Project, unreadable},
};
use crate::{
    config::{self, inventory::Inventory, recipe::Recipe as Raw},
    diagnostic::{Problem, Problems},
    model::Name,
};

/// An environment's inventories as one, and whether all of them could be read.
struct Layered {
    inventory: Inventory,
    is_whole: bool,
}

/// What is wrong in a project beside its environments: recipes that none of them uses, files whose names
/// hide them, and several that are the default.
pub fn check_the_rest(project: &Project) -> Problems {
    let mut problems = project.misnamed();
    let environments = project.environments();
    // Their own mistakes are told where they are loaded.
    let inventories: Vec<_> = environments
        .iter()
        .map(|name| {
            let read = read::inventories(project, name, &mut Problems::new());
            Layered {
                is_whole: read.is_whole,
                inventory: layer::over_each_other(read.layers),
            }
        })
        .collect();
    read_unused(project, &inventories, &mut problems);
    read::check_default(project, &mut problems);
    problems.sorted()
}

/// Reads the files of the recipes that no inventory names, for mistakes in how they are written. What
/// their texts mean depends on hosts and vars, so it cannot be told.
fn read_unused(project: &Project, inventories: &[Layered], problems: &mut Problems) {
    let are_whole = inventories.iter().all(|layered| layered.is_whole);
    let is_used = |name: &Name| {
        inventories
            .iter()
            .filter_map(|layered| layered.inventory.recipes.as_ref())
            .flat_map(|recipes| recipes.iter())
            .any(|used| *used.value == **name)
    };
    for name in project.recipes().iter().filter(|name| !is_used(name)) {
        let shown = format!("recipes/{name}.toml");
        match config::read::<Raw>(&project.root.join(&shown), &shown) {
            Ok(file) => {
                if are_whole {
                    problems.push(
                        Problem::warning(format!("no environment uses the recipe `{name}`"))
                            .hint(format!("name it in an inventory, or remove `{shown}`")),
                    );
                }
                problems.extend(file.problems);
            }
            Err(error) => problems.push(unreadable(&shown, &error)),
        }
    }
}
