//! The files of the recipes that an inventory names.

use super::{Project, file::unreadable};
use crate::{
    config::{
        self, File, inventory::Inventory, recipe::Recipe as Raw, suggest::did_you_mean_or_all,
    },
    diagnostic::{Located, Problem, Problems},
    model::Name,
};

/// A recipe as its file has it.
pub(in super::super) struct RawRecipe {
    /// Its name, where the inventory has it.
    pub name: Located<Name>,
    /// Its file.
    pub file: File<Raw>,
}

/// Reads the files of all recipes that the inventory names.
pub(in super::super) fn recipes(
    project: &Project,
    inventory: &Inventory,
    problems: &mut Problems,
) -> Vec<RawRecipe> {
    let names = inventory.recipes.as_ref().map(|recipes| recipes.as_slice());
    let names = names.unwrap_or_default();
    let mut recipes: Vec<RawRecipe> = Vec::new();
    for text in names {
        let name = match text.parse::<Name>() {
            Ok(name) => name,
            Err(error) => {
                problems.push(Problem::error(error.to_string()).at(&text.place, "not a name"));
                continue;
            }
        };
        if recipes.iter().any(|known| known.name.value == name) {
            problems.push(
                Problem::error(format!("recipe `{name}` is listed twice")).at(&text.place, "again"),
            );
            continue;
        }
        let shown = format!("recipes/{name}.toml");
        match config::read::<Raw>(&project.root.join(&shown), &shown) {
            Ok(file) => {
                problems.extend(file.problems.clone());
                let place = text.place.clone();
                let name = Located { value: name, place };
                recipes.push(RawRecipe { name, file });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let files = project.recipes();
                let known = files.iter().map(|name| &**name).collect();
                problems.push(
                    Problem::error(format!("unknown recipe `{name}`: no file `{shown}`"))
                        .at(&text.place, "no such file")
                        .hint(did_you_mean_or_all(&name, "recipes", known)),
                );
            }
            Err(error) => {
                problems.push(unreadable(&shown, &error).at(&text.place, "named here"));
            }
        }
    }
    recipes
}
