//! `[drain]`.

use super::{
    super::read::RawRecipe,
    references::{not_here, position},
};
use crate::{
    config::recipe::{DrainSection, Recipe as Raw},
    diagnostic::{Problem, Problems},
    model::{Drain, Name},
};

/// `[drain]`.
pub(super) fn resolve(
    raw: &Raw,
    all: &[RawRecipe],
    files: &[Name],
    problems: &mut Problems,
) -> Option<Drain> {
    let section = raw.drain.as_ref()?;
    let DrainSection {
        balancers,
        wait,
        timeout,
    } = &section.value;
    let mut names = Vec::new();
    for text in balancers.iter().flat_map(|balancers| &balancers.value) {
        let Some(index) = position(all, text) else {
            problems.push(not_here(text, all, files).at(&text.place, "not in this environment"));
            continue;
        };
        let recipe = &all[index];
        if recipe.file.content.balancer.is_none() && recipe.file.is_toml {
            problems.push(
                Problem::error(format!("recipe `{}` is not a balancer", text.value))
                    .at(&text.place, "has no `[balancer]`")
                    .hint(format!(
                        "add `[balancer]` with `upstreams = \"…\"` to `{}`",
                        recipe.file.source.name()
                    )),
            );
        }
        names.push(recipe.name.value.clone());
    }
    Some(Drain {
        balancers: names,
        wait: wait.value().0,
        timeout: timeout.value().0,
    })
}
