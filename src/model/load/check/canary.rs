//! Whether canaries can have their own share of the requests, and whether errors are counted.

use crate::{
    config::recipe::Recipe as Raw,
    diagnostic::{Place, Problem, Problems},
    model::{BalancerView, EQUAL_WEIGHT, LateValues, ListedBackend, Name, Recipe, Template},
};

/// A weight needs canaries, others beside them, and balancers that know of weights.
pub(super) fn check_canary_weight(
    raw: &Raw,
    recipe: &Recipe,
    all: &[Recipe],
    problems: &mut Problems,
) {
    let Some(section) = &raw.rollout else {
        return;
    };
    let has_canaries = recipe.rollout.canary > 0;
    if let Some(time) = section.canary_time.written().filter(|_| !has_canaries) {
        problems.push(
            Problem::warning("`canary_time` without canaries: nothing waits")
                .at(&time.place, "there are none")
                .hint("`canary = 1` tries one first"),
        );
    }
    let Some(weight) = &section.canary_weight else {
        return;
    };
    if !has_canaries {
        problems.push(
            Problem::error("`canary_weight` without canaries")
                .at(&weight.place, "there are none")
                .hint("`canary = 1` tries one first"),
        );
        return;
    }
    let slots = recipe.instances();
    if slots <= usize::from(recipe.rollout.canary) {
        problems.push(
            Problem::warning(format!(
                "`canary_weight` has no effect: all {slots} containers are canaries"
            ))
            .at(&weight.place, "no other container to share with"),
        );
    }
    let is_told = recipe.drain.as_ref().is_some_and(|drain| drain.is_told);
    if !is_told {
        problems.push(
            Problem::error(format!(
                "no balancer of `{}` can give canaries a share of the requests",
                recipe.name
            ))
            .at(&weight.place, "needs a balancer that shipit tells of containers")
            .hint("name one in `[drain] balancers` that has `[balancer.backends]`, or `add`, `remove` and `weight`"),
        );
        return;
    }
    for (balancer, view) in balancers(recipe, all) {
        if let Some(lacks) = lacks_weight(view, &recipe.name) {
            problems.push(
                Problem::error(format!(
                    "`{balancer}` gives all containers of `{}` the same share of the requests",
                    recipe.name
                ))
                .at(&weight.place, "needs a weight")
                .hint(lacks),
            );
        }
    }
}

/// A rate needs a balancer that counts.
pub(super) fn check_error_rate(
    raw: &Raw,
    recipe: &Recipe,
    all: &[Recipe],
    problems: &mut Problems,
) {
    let rate = raw
        .probe
        .as_ref()
        .and_then(|probe| probe.max_error_rate.as_ref());
    let Some(place) = rate.map(|rate| &rate.place) else {
        return;
    };
    let views: Vec<_> = balancers(recipe, all).collect();
    if !views.iter().any(|(_, view)| view.errors.is_some()) {
        problems.push(no_counts(
            recipe,
            views.first().map(|(name, _)| *name),
            place,
        ));
    }
}

fn no_counts(recipe: &Recipe, balancer: Option<&Name>, place: &Place) -> Problem {
    let hint = match balancer {
        Some(name) => format!(
            "add `errors = \"…\"` to `[balancer]` of `{name}`: a command that prints `ADDRESS:PORT REQUESTS ERRORS`"
        ),
        None => "name the balancers in `[drain]`".to_owned(),
    };
    Problem::error(format!(
        "no balancer of `{}` says how many errors it has counted",
        recipe.name
    ))
    .at(place, "nothing counts them")
    .hint(hint)
}

/// The balancers that a recipe names, as each is on its first host.
fn balancers<'a>(
    recipe: &'a Recipe,
    all: &'a [Recipe],
) -> impl Iterator<Item = (&'a Name, &'a BalancerView)> {
    let names = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    let balancers = names.filter_map(|name| all.iter().find(|other| other.name == *name));
    balancers.filter_map(|balancer| {
        let view = balancer.by_host.values().next()?.balancer.as_ref()?;
        Some((&balancer.name, view))
    })
}

/// What a balancer lacks to give one container less than the others; `None` where it lacks nothing.
fn lacks_weight(view: &BalancerView, recipe: &Name) -> Option<String> {
    if let Some(file) = &view.backends {
        let list = |weight| {
            let one = ListedBackend {
                weight,
                ..ListedBackend::dummy(recipe)
            };
            file.render(&[one], &[])
        };
        let (lighter, equal) = (list(1), list(EQUAL_WEIGHT));
        // What is wrong with the template was said.
        return (lighter.is_ok() && lighter == equal)
            .then(|| format!("use `{{{{weight}}}}` in `{}`", file.from));
    }
    match &view.commands {
        Some(commands) => {
            let both = [Some(&commands.add), commands.weight.as_ref()];
            let is_one =
                |command: Option<&Template>| command.is_some_and(|it| is_weighed(it, recipe));
            (!both.into_iter().all(is_one)).then(|| {
                "name `backend.weight` in `add` and in `weight = \"…\"` of its `[balancer]`"
                    .to_owned()
            })
        }
        None => {
            Some("it learns of containers by itself, so shipit cannot give one a weight".to_owned())
        }
    }
}

/// Whether a command is another one for another weight.
fn is_weighed(command: &Template, recipe: &Name) -> bool {
    let rendered = |weight| {
        let one = ListedBackend {
            weight,
            ..ListedBackend::dummy(recipe)
        };
        let command = command.with("backend", one.value("active"));
        command.render(&LateValues::dummy())
    };
    let (lighter, equal) = (rendered(1), rendered(EQUAL_WEIGHT));
    // What is wrong with the template was said.
    lighter.is_err() || lighter != equal
}
