//! Accessories, such as databases: each is removed only by its name.

use crate::{
    commands::on_hosts::invocation::Invocation,
    event::{EventKind, Outcome},
    hosts::{Run, Stop},
    model::{Environment, Name},
    observe::Observed,
    text,
};

/// Checks that each of these names is that of an accessory.
pub fn check_names(invocation: &Invocation<'_>, names: &[Name]) -> Run<()> {
    let environment = invocation.context.environment;
    let is_one = |name: &&Name| environment.recipe(name).is_some_and(|it| it.accessory);
    let Some(other) = names.iter().find(|name| !is_one(name)) else {
        return Ok(());
    };
    let known = environment.recipes.iter().filter(|it| it.accessory);
    let known: Vec<_> = known.map(|recipe| &recipe.name).collect();
    let message = format!("`{other}` is no accessory of `{}`", environment.name);
    let stop = Stop::new(Outcome::Usage, message);
    Err(if known.is_empty() {
        stop.hint("it has none: `[container] accessory = true` makes one")
    } else {
        stop.hint(format!("its accessories are {}", text::list(known)))
    })
}

/// The accessories that some host has a container of. Those of a preview go with it, as nothing else is left of it.
pub fn there<'e>(environment: &'e Environment, observed: &Observed) -> Vec<&'e Name> {
    if environment.preview.is_some() {
        return Vec::new();
    }
    let recipes = environment.recipes.iter().filter(|recipe| recipe.accessory);
    let is_there = |name: &&Name| {
        let mut hosts = observed.facts.hosts.values();
        hosts.any(|facts| !facts.of_recipe(name).is_empty())
    };
    recipes
        .map(|recipe| &recipe.name)
        .filter(is_there)
        .collect()
}

/// Which of the accessories stay: those that nobody names, here or beforehand (`named`). Where `may_ask`, a person is
/// asked for each.
pub async fn stay<'e>(
    invocation: &Invocation<'_>,
    accessories: &[&'e Name],
    named: &[Name],
    may_ask: bool,
) -> Run<Vec<&'e Name>> {
    let context = &invocation.context;
    let environment = &context.environment.name;
    let mut stay = Vec::new();
    for name in accessories {
        if named.contains(name) {
            continue;
        }
        let question = format!("Also remove the accessory `{name}` of `{environment}`?");
        if may_ask && invocation.confirm(question, "nothing was removed").await? {
            continue;
        }
        context.events.send(EventKind::Warning {
            host: None,
            message: format!("the accessory `{name}` stays, and the records with it"),
            hint: Some(format!("shipit down {environment} --accessory {name}")),
        });
        stay.push(*name);
    }
    Ok(stay)
}
