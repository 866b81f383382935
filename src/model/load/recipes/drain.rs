//! `[drain]`.

use super::{
    super::{
        read::RawRecipe,
        scope::{Resolver, Settle, meaning},
    },
    references::{not_here, position},
};
use crate::{
    config::recipe::{DrainSection, Recipe as Raw},
    diagnostic::{Place, Problem, Problems},
    model::{Drain, Leave, Name},
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
        run,
        undo: _,
    } = &section.value;
    let mut names = Vec::new();
    let (mut through_consul, mut is_told) = (false, false);
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
        if let Some(balancer) = &recipe.file.content.balancer {
            let told = balancer.backends.is_some() || balancer.add.is_some();
            through_consul |= !told;
            is_told |= told;
            if balancer.upstreams.is_none() && wait.written().is_none() {
                problems.push(unseen(recipe, &text.place));
            }
        }
        names.push(recipe.name.value.clone());
    }
    through_consul = (through_consul || !is_told) && run.is_none();
    if let Some(run) = run
        .as_ref()
        .filter(|_| names.is_empty() && wait.written().is_none())
    {
        problems.push(
            Problem::error("no balancer can be asked whether it has left, and nothing says how long that takes")
                .at(&run.place, "makes the app leave")
                .hint("`wait = \"10s\"`: longer than the balancer's health check needs to fail"),
        );
    }
    Some(Drain {
        balancers: names,
        through_consul,
        is_told,
        wait: wait.value().0,
        timeout: timeout.value().0,
    })
}

/// How the app leaves by itself on one host.
pub(super) fn leave(raw: &Raw, resolver: &mut Resolver<'_>) -> Option<Leave> {
    let section = &raw.drain.as_ref()?.value;
    let Some(run) = &section.run else {
        if let Some(undo) = &section.undo {
            resolver.problems.push(
                Problem::error("`[drain]` has `undo` and no `run`")
                    .at(&undo.place, "there is nothing to take back"),
            );
        }
        return None;
    };
    Some(Leave {
        run: meaning(run, resolver),
        undo: section.undo.settle(resolver),
    })
}

/// A balancer that cannot print what it routes to, and nothing says how long it takes to leave.
fn unseen(balancer: &RawRecipe, place: &Place) -> Problem {
    let name = &balancer.name.value;
    Problem::error(format!(
        "`{name}` has no `upstreams`, so nobody can see whether it still routes to a container"
    ))
    .at(place, "cannot be asked")
    .hint(format!(
        "add `upstreams = \"…\"` to `[balancer]` in `{}`: a command that prints what it routes to; or say here how long \
         it takes to leave: `wait = \"10s\"`",
        balancer.file.source.name()
    ))
}
