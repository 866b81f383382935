//! What an inventory lacks.

use crate::{
    config::inventory::Inventory,
    diagnostic::{Problem, Problems, SourceFile},
};

/// An inventory without recipes is good for `exec` alone.
pub(in super::super) fn warn_without_recipes(
    file: &SourceFile,
    inventory: &Inventory,
    problems: &mut Problems,
) {
    let recipes = inventory.recipes.as_ref();
    if recipes.is_none_or(|recipes| recipes.is_empty()) {
        let place = recipes.map_or_else(|| file.place(0..0), |recipes| recipes.place.clone());
        problems.push(
            Problem::warning("the inventory names no recipes")
                .at(&place, "nothing to deploy")
                .hint("add `recipes = [\"web\"]` above `[hosts]`"),
        );
    }
}
