//! The recipes that a recipe names.

use super::super::read::RawRecipe;
use crate::{
    config::suggest::did_you_mean,
    diagnostic::{Located, Problem, Problems},
    model::Name,
};

/// What a recipe `requires`.
pub(super) fn required_by(recipe: &RawRecipe) -> impl Iterator<Item = &Located<String>> {
    let requires = recipe.file.content.requires.as_ref();
    requires.into_iter().flat_map(|all| &all.value)
}

/// The recipe of this name.
pub(super) fn position(recipes: &[RawRecipe], name: &str) -> Option<usize> {
    recipes
        .iter()
        .position(|recipe: &RawRecipe| &*recipe.name.value == name)
}

/// The names that a recipe requires, those left out that are not there.
pub(super) fn requires(
    recipe: &RawRecipe,
    recipes: &[RawRecipe],
    files: &[Name],
    problems: &mut Problems,
) -> Vec<Name> {
    let mut names = Vec::new();
    for text in required_by(recipe) {
        if let Some(index) = position(recipes, text) {
            names.push(recipes[index].name.value.clone());
        } else {
            problems
                .push(not_here(text, recipes, files).at(&text.place, "not in this environment"));
        }
    }
    names
}

/// A recipe is named that the environment does not have.
pub(super) fn not_here(name: &str, recipes: &[RawRecipe], files: &[Name]) -> Problem {
    let known = recipes.iter().map(|recipe| &*recipe.name.value);
    let problem = Problem::error(format!("recipe `{name}` is not in this environment"));
    if files.iter().any(|file| &**file == name) {
        return problem.hint(format!("add `{name}` to `recipes` in the inventory"));
    }
    problem.maybe_hint(did_you_mean(name, known))
}
