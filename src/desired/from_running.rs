//! What runs now, to run again.

use std::collections::BTreeMap;

use super::from_records::sources;
use crate::{
    docker::Container,
    event::Outcome as RunOutcome,
    facts::{Facts, HostFacts},
    hosts::{Run, Stop},
    model::{Environment, HostName, Recipe},
    plan::{Desired, DesiredState, Scope},
    release::{History, Number, RecipeRecord, Record},
    secrets::Secrets,
    text,
};

/// What the hosts of a scope have of its recipes: the spec of what runs there, or where nothing runs that of the last
/// release that succeeded. It is in the records, whatever today's files say.
///
/// Without `secrets`, as in a dry run, none is read: what was recorded is then told by the record's own hash.
pub async fn from_running(
    environment: &Environment,
    scope: &Scope,
    (facts, history): (&Facts, &History),
    secrets: Option<&Secrets<'_>>,
) -> Run<DesiredState> {
    let mut desired = DesiredState::new();
    let recipes = environment.recipes.iter();
    for recipe in recipes.filter(|recipe| scope.has_recipe(&recipe.name)) {
        let hosts = environment.hosts.iter().map(|host| &host.name);
        for host in hosts.filter(|host| scope.has_host(host)) {
            let Some(on_host) = facts.hosts.get(host) else {
                continue;
            };
            let found = recorded(environment, recipe, (host, on_host), history)?;
            let Some((number, recorded)) = found else {
                continue;
            };
            let values_from = sources(recipe, host, recorded, number)?;
            let (values, unread) = match secrets {
                Some(secrets) => (secrets.of(&values_from).await?, None),
                None if values_from.is_empty() => (BTreeMap::new(), None),
                None => (BTreeMap::new(), Some(recorded.hash.clone())),
            };
            let wanted = Desired {
                spec: recorded.spec.clone(),
                image: recorded.image.clone(),
                instances: recorded.instances,
                secrets: values,
                unread,
            };
            let of_recipe = desired.entry(recipe.name.clone()).or_default();
            of_recipe.insert(host.clone(), wanted);
        }
    }
    if desired.is_empty() {
        let names = text::list(&scope.recipes);
        let message = format!("nothing of {names} was ever deployed to these hosts");
        let hint = format!("shipit deploy {}", environment.name);
        return Err(Stop::new(RunOutcome::NotReady, message).hint(hint));
    }
    Ok(desired)
}

/// The record of what runs of a recipe on a host; without a container, of what ran last. `None` where the host never
/// had any.
fn recorded<'h>(
    environment: &Environment,
    recipe: &Recipe,
    (host, facts): (&HostName, &HostFacts),
    history: &'h History,
) -> Run<Option<(Number, &'h RecipeRecord)>> {
    let of_recipe =
        |record: &'h Record| Some((record.number, record.recipes.get(&*recipe.name)?));
    let running: Vec<&Container> = facts
        .of_recipe(&recipe.name)
        .into_iter()
        .filter(|container| container.state.running)
        .collect();
    if running.is_empty() {
        // What the host is no longer to run is not started once more.
        let is_for_host = recipe.on.contains_key(host);
        let last = history.recent_successes(host, 1).next();
        return Ok(last.filter(|_| is_for_host).and_then(of_recipe));
    }
    let made_from = |container: &&Container| {
        let hash = container.identity()?.spec.as_str().to_owned();
        let record = history.newest_on(host, |record| {
            let recorded = record.recipes.get(&*recipe.name);
            recorded.is_some_and(|recorded| recorded.hash == hash)
        });
        record.and_then(of_recipe)
    };
    // Of equal containers with secrets each may have a hash of its own, and one of them is in the record.
    let known: Vec<_> = running.iter().filter_map(made_from).collect();
    let names = || text::list(running.iter().map(|container| &container.name));
    let Some(first) = known.first().copied() else {
        let message = format!(
            "no record says what {} on `{host}` is made from; nothing was changed",
            names()
        );
        let hint = format!(
            "`shipit deploy {} {} --force` replaces it by what the files say",
            environment.name, recipe.name
        );
        return Err(Stop::new(RunOutcome::NotReady, message).hint(hint));
    };
    let is_other = |(_, other): &(Number, &RecipeRecord)| {
        other.spec != first.1.spec || other.image.digest != first.1.image.digest
    };
    if known.iter().any(is_other) {
        let message = format!(
            "{} on `{host}` are of different releases; nothing was changed",
            names()
        );
        let hint = format!("shipit deploy {} {}", environment.name, recipe.name);
        return Err(Stop::new(RunOutcome::NotReady, message).hint(hint));
    }
    Ok(Some(first))
}
