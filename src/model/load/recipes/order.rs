//! The order of recipes: each after all that it requires and after the balancers that it drains through,
//! otherwise as the inventory has them.

use super::RawRecipe;
use crate::{
    diagnostic::{Located, Problem, Problems},
    model::Name,
};

/// The recipes' indexes in order. What `requires` names must be there.
pub(super) fn order(recipes: &[RawRecipe], problems: &mut Problems) -> Vec<usize> {
    let mut walk = Walk {
        recipes,
        done: Vec::new(),
        way: Vec::new(),
    };
    for index in 0..recipes.len() {
        walk.visit(index, problems);
    }
    walk.done
}

struct Walk<'a> {
    recipes: &'a [RawRecipe],
    done: Vec<usize>,
    way: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize, problems: &mut Problems) {
        if self.done.contains(&index) {
            return;
        }
        self.way.push(index);
        for required in comes_after(&self.recipes[index]) {
            let Some(next) = position(self.recipes, required) else {
                continue;
            };
            if let Some(start) = self.way.iter().position(|seen| *seen == next) {
                let mut round: Vec<_> = self.way[start..].to_vec();
                // One cycle is one mistake, wherever the walk came upon it.
                let smallest = round
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, seen)| **seen)
                    .map_or(0, |(at, _)| at);
                round.rotate_left(smallest);
                round.push(round[0]);
                let names: Vec<_> = round
                    .iter()
                    .map(|index| &*self.recipes[*index].name.value)
                    .collect();
                let mut edges = round.windows(2);
                let only_requires = edges.all(|edge| {
                    let needed = &*self.recipes[edge[1]].name.value;
                    required_by(&self.recipes[edge[0]]).any(|required| required.value == needed)
                });
                let (keys, hint) = if only_requires {
                    (
                        "`requires` goes",
                        "take one of these out of the other's `requires`",
                    )
                } else {
                    (
                        "`requires` and `drain.balancers` go",
                        "take one of these out of the other's `requires`: a balancer comes before what drains through it",
                    )
                };
                problems.push(
                    Problem::error(format!("{keys} round: {}", names.join(" → ")))
                        .at(&required.place, "closes the circle")
                        .hint(hint),
                );
            } else {
                self.visit(next, problems);
            }
        }
        self.way.pop();
        if !self.done.contains(&index) {
            self.done.push(index);
        }
    }
}

/// What a recipe `requires`.
fn required_by(recipe: &RawRecipe) -> impl Iterator<Item = &Located<String>> {
    let requires = recipe.file.content.requires.as_ref();
    requires.into_iter().flat_map(|all| &all.value)
}

/// All that comes before a recipe. A container is not healthy before every balancer of its `[drain]` routes
/// to it, so these must be up.
fn comes_after(recipe: &RawRecipe) -> impl Iterator<Item = &Located<String>> {
    let drain = recipe.file.content.drain.as_ref();
    let balancers = drain.and_then(|drain| drain.value.balancers.as_ref());
    required_by(recipe).chain(balancers.into_iter().flat_map(|all| &all.value))
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
    problem.maybe_hint(super::super::did_you_mean(name, known))
}
