//! The order of recipes: each after all that it requires and after the balancers that it drains through,
//! otherwise as the inventory has them.

use super::{
    super::read::RawRecipe,
    references::{position, required_by},
};
use crate::diagnostic::{Located, Problem, Problems};

/// The recipes' indexes in order. What `requires` names must be there.
pub(super) fn order(recipes: &[RawRecipe], problems: &mut Problems) -> Vec<usize> {
    let mut walk = Walk {
        recipes,
        done: Vec::new(),
        chain: Vec::new(),
    };
    for index in 0..recipes.len() {
        walk.visit(index, problems);
    }
    walk.done
}

struct Walk<'a> {
    recipes: &'a [RawRecipe],
    done: Vec<usize>,
    chain: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize, problems: &mut Problems) {
        if self.done.contains(&index) {
            return;
        }
        self.chain.push(index);
        for required in comes_after(&self.recipes[index]) {
            let Some(next) = position(self.recipes, required) else {
                continue;
            };
            if let Some(start) = self.chain.iter().position(|seen| *seen == next) {
                let mut round: Vec<_> = self.chain[start..].to_vec();
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
                        "`requires` forms",
                        "remove one of these from the other's `requires`",
                    )
                } else {
                    (
                        "`requires` and `drain.balancers` form",
                        "remove one of these from the other's `requires`: a balancer comes before what drains through it",
                    )
                };
                problems.push(
                    Problem::error(format!("{keys} a cycle: {}", names.join(" → ")))
                        .at(&required.place, "closes the cycle")
                        .hint(hint),
                );
            } else {
                self.visit(next, problems);
            }
        }
        self.chain.pop();
        if !self.done.contains(&index) {
            self.done.push(index);
        }
    }
}

/// All that comes before a recipe. A container is not healthy before every balancer of its `[drain]` routes
/// to it, so these must be up.
fn comes_after(recipe: &RawRecipe) -> impl Iterator<Item = &Located<String>> {
    let drain = recipe.file.content.drain.as_ref();
    let balancers = drain.and_then(|drain| drain.value.balancers.as_ref());
    required_by(recipe).chain(balancers.into_iter().flat_map(|all| &all.value))
}
