//! `[balancer]`.

use serde_json::Value;

use super::super::{
    read::{RawRecipe, unreadable},
    scope::{Resolver, Settle, meaning},
};
use crate::{
    config::{
        recipe::{BackendsSection, BalancerSection, Recipe as Raw},
        values::Script,
    },
    diagnostic::{Located, Place, Problem, SourceFile},
    files,
    model::{
        BackendCommands, BackendsFile, BalancerView, ListError, ListedBackend, Name, Template,
        backends::by_recipe,
    },
};

/// The recipes that drain through this one.
pub(super) fn drained_through(recipe: &RawRecipe, all: &[RawRecipe]) -> Vec<Name> {
    let drains = |other: &&RawRecipe| {
        let drain = other.file.content.drain.as_ref();
        let balancers = drain.and_then(|drain| drain.value.balancers.as_ref());
        let mut names = balancers.into_iter().flat_map(|all| &all.value);
        names.any(|name| *name.value == *recipe.name.value)
    };
    let recipes = all.iter().filter(drains);
    recipes.map(|other| other.name.value.clone()).collect()
}

/// `[balancer]` on one host; `recipes` drain through it.
pub(super) fn resolve(
    raw: &Raw,
    recipes: &[Name],
    resolver: &mut Resolver<'_>,
) -> Option<BalancerView> {
    let section = raw.balancer.as_ref()?;
    let BalancerSection {
        upstreams,
        backends,
        add,
        drain,
        remove,
        weight,
        errors,
        local: _,
    } = &section.value;
    if let (Some(backends), Some(command)) = (backends, add.as_ref().or(remove.as_ref())) {
        resolver.problems.push(
            Problem::error("a balancer is told by its list or by commands, not by both")
                .at(&backends.place, "a list that is written")
                .at(&command.place, "a command for each backend"),
        );
    }
    let needs = |key: &str, other: &str, place: &Place| {
        Problem::error(format!("`[balancer]` has `{other}` and no `{key}`"))
            .at(place, format!("`{key}` is missing"))
    };
    match (add, remove) {
        (Some(add), None) => resolver.problems.push(needs("remove", "add", &add.place)),
        (None, Some(remove)) => resolver
            .problems
            .push(needs("add", "remove", &remove.place)),
        (None, None) => {
            let others = [("drain", drain), ("weight", weight)];
            for (key, other) in others {
                if let Some(other) = other {
                    resolver.problems.push(needs("add", key, &other.place));
                }
            }
        }
        (Some(_), Some(_)) => {}
    }
    let in_container = raw.container.is_some();
    Some(BalancerView {
        upstreams: upstreams.settle(resolver),
        errors: errors.settle(resolver),
        backends: backends
            .as_ref()
            .and_then(|backends| list(backends, in_container, recipes, resolver)),
        commands: commands(&section.value, recipes, resolver),
        in_container,
    })
}

fn commands(
    section: &BalancerSection,
    recipes: &[Name],
    resolver: &mut Resolver<'_>,
) -> Option<BackendCommands> {
    let (add, remove) = (section.add.as_ref()?, section.remove.as_ref()?);
    let nobody: Name = "web".parse().ok()?;
    let backend = ListedBackend::dummy(recipes.first().unwrap_or(&nobody)).value("active");
    let trial = vec![
        ("backend", backend),
        ("release", "r1".into()),
        ("container", "container".into()),
    ];
    let mut command = |script: &Located<Script>| {
        resolver.tried_command(&script.value.0, &script.place, std::slice::from_ref(&trial))
    };
    Some(BackendCommands {
        add: command(add),
        drain: section.drain.as_ref().map(&mut command),
        remove: command(remove),
        weight: section.weight.as_ref().map(&mut command),
        local: *section.local.value(),
        recipes: recipes.to_vec(),
    })
}

fn list(
    section: &Located<BackendsSection>,
    in_container: bool,
    recipes: &[Name],
    resolver: &mut Resolver<'_>,
) -> Option<BackendsFile> {
    let BackendsSection {
        template,
        to,
        check,
        reload,
        on_host,
    } = &section.value;
    let missing = [
        ("template", template.is_none()),
        ("to", to.is_none()),
        ("reload", reload.is_none()),
    ];
    for (key, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
        resolver.problems.push(
            Problem::error(format!("`[balancer.backends]` has no `{key}`"))
                .at(&section.place, format!("`{key}` is missing")),
        );
    }
    let (Some(template), Some(to), Some(reload)) = (template, to, reload) else {
        return None;
    };
    let target: String = meaning(to, resolver);
    if !target.starts_with('/') || target.ends_with('/') {
        resolver.problems.push(
            Problem::error(format!("`{target}` is not the absolute path of a file"))
                .at(&to.place, "expected `/…/FILE`"),
        );
    }
    let from: String = meaning(template, resolver);
    let path = resolver
        .project()
        .path_at(&from, template, resolver.problems);
    let text = files::read_text(&path).unwrap_or_else(|error| {
        let problem = unreadable(&from, &error).at(&template.place, "cannot be read");
        resolver.problems.push(problem);
        String::new()
    });
    let file = BackendsFile {
        template: tried(&from, text, recipes, resolver),
        to: target,
        check: check.settle(resolver),
        reload: meaning(reload, resolver),
        on_host: *on_host.value() || !in_container,
        recipes: recipes.to_vec(),
        from,
    };
    let backends: Vec<_> = recipes.iter().map(ListedBackend::dummy).collect();
    // What else is wrong with the template was said.
    if let Err(ListError::Empty(from, _)) = file.render(&backends, &[])
        && !file.template.source.is_empty()
    {
        let hint = format!(
            "`{{{{#each backends.{}}}}}server {{{{address}}}}:{{{{port}}}};{{{{/each}}}}` lists them",
            recipes.first().map_or("RECIPE", |recipe| &**recipe)
        );
        resolver.problems.push(
            Problem::error(format!("`{from}` lists no backend"))
                .at(&template.place, "has nothing to route to")
                .hint(hint),
        );
    }
    Some(file)
}

/// The template, which must be right with backends and without.
fn tried(from: &str, text: String, recipes: &[Name], resolver: &mut Resolver<'_>) -> Template {
    let file = SourceFile::new(from, text);
    let whole = file.place(0..file.text().len());
    let dummies: Vec<_> = recipes.iter().map(ListedBackend::dummy).collect();
    let values = |all: &[ListedBackend]| -> Value { by_recipe(recipes, all, "active") };
    let trials = [values(&dummies), values(&[])];
    let trials = trials.map(|all| [("backends", all.clone()), ("draining", all)].to_vec());
    resolver.tried(file.text(), &whole, &trials)
}
