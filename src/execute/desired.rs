//! What is wanted on every host: from the files for a deploy, from records for a rollback.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context,
    images::{Pins, Wanted},
    secrets::Secrets,
    stop::{Run, Stop},
};
use crate::{
    docker,
    event::{EventKind, Outcome as RunOutcome},
    model::{
        ContainerSpec, Environment, HostName, HostRecipe, LateValues, Name, Recipe, Task,
        TaskAction,
    },
    plan::{Desired, DesiredState, Scope},
    release::{History, Number, Outcome, RecipeRecord, Record},
};

/// The recipes of a scope. Of the others neither images nor secrets are needed: that they run is all that is
/// asked of them.
fn in_scope<'e>(
    environment: &'e Environment,
    scope: &'e Scope,
) -> impl Iterator<Item = &'e Recipe> {
    environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
}

/// Reads the secrets of a scope's recipes, so that one without a value is known before anything is
/// contacted.
pub async fn read_secrets(
    environment: &Environment,
    scope: &Scope,
    secrets: &mut Secrets<'_>,
) -> Run<()> {
    for recipe in in_scope(environment, scope) {
        for (_, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            if let Some(spec) = &on.container {
                secrets.of(&spec.secrets).await?;
            }
        }
    }
    Ok(())
}

/// Which images the recipes of a scope name, and the hosts that use each.
pub fn wanted_images(
    environment: &Environment,
    scope: &Scope,
) -> BTreeMap<Wanted, BTreeSet<HostName>> {
    let mut users = BTreeMap::<Wanted, BTreeSet<HostName>>::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            if let Some(spec) = &on.container {
                users
                    .entry((spec.image.clone(), spec.source))
                    .or_default()
                    .insert(host.clone());
            }
        }
    }
    users
}

/// What the files want.
pub async fn from_files(
    environment: &Environment,
    scope: &Scope,
    pins: &Pins,
    secrets: &mut Secrets<'_>,
) -> Run<DesiredState> {
    let mut desired = DesiredState::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            let Some(spec) = &on.container else { continue };
            let Some(image) = pins.get(&(spec.image.clone(), spec.source)) else {
                continue;
            };
            let wanted = Desired {
                spec: ContainerSpec {
                    setup: setup(on),
                    ..spec.clone()
                },
                image: image.clone(),
                instances: on.instances,
                secrets: secrets.of(&spec.secrets).await?,
            };
            desired
                .entry(recipe.name.clone())
                .or_default()
                .insert(host.clone(), wanted);
        }
    }
    Ok(desired)
}

/// The hash of what a recipe does around its container on one host; `None` when that is nothing.
pub fn setup(on: &HostRecipe) -> Option<String> {
    let late = LateValues::dummy();
    let describe = |task: &Task| match &task.action {
        TaskAction::Run(script) => format!("run {}", script.render(&late).unwrap_or_default()),
        TaskAction::Upload {
            from: _,
            to,
            mode,
            content,
        } => {
            format!("upload {to} {mode:o} {}", docker::short_hash(content, 16))
        }
    };
    let all: Vec<_> = on.before.iter().chain(&on.after).map(describe).collect();
    (!all.is_empty()).then(|| docker::short_hash(all.join("\0").as_bytes(), 6))
}

/// Which release a rollback goes to.
pub fn rollback_target(
    environment: &Environment,
    history: &History,
    to: Option<Number>,
) -> Run<Number> {
    let releases = history.releases();
    let show = format!("shipit history {}", environment.name);
    let Some(number) = to else {
        return history.previous().ok_or_else(|| {
            Stop::new(
                RunOutcome::NotReady,
                format!(
                    "`{}` has no earlier successful release to go back to",
                    environment.name
                ),
            )
            .hint(show)
        });
    };
    match releases.iter().find(|release| release.number == number) {
        None => Err(Stop::new(
            RunOutcome::NotReady,
            format!("there is no release {number} of `{}`", environment.name),
        )
        .hint(show)),
        Some(release) if release.outcome != Outcome::Succeeded => Err(Stop::new(
            RunOutcome::NotReady,
            format!(
                "{number} of `{}` is no release to go back to: it {}",
                environment.name,
                ended(release.outcome)
            ),
        )
        .hint(show)),
        Some(_) => Ok(number),
    }
}

fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unfinished => "never ended",
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Reverted => "failed and was reverted",
        Outcome::Interrupted => "was interrupted",
    }
}

/// What a release had. Recipes that it did not have, and hosts without a record of it or an earlier one,
/// are left out and thereby left alone; each is a warning.
pub async fn from_records(
    context: &Context<'_>,
    scope: &mut Scope,
    history: &History,
    target: Number,
    secrets: &mut Secrets<'_>,
) -> Run<DesiredState> {
    let environment = context.environment;
    let warn = |host: Option<&HostName>, message: String| {
        context.events.send(EventKind::Warning {
            host: host.map(ToString::to_string),
            message,
            hint: None,
        });
    };
    let mut desired = DesiredState::new();
    let mut hosts = Vec::new();
    for host in environment
        .hosts
        .iter()
        .filter(|host| scope.has_host(&host.name))
    {
        let Some(record) = history.at(&host.name, target) else {
            warn(
                Some(&host.name),
                format!("it has no record of {target} or an earlier release, and is left as it is"),
            );
            continue;
        };
        hosts.push(host.name.clone());
        for (name, recorded) in &record.recipes {
            let Some(recipe) = environment.recipe(name) else {
                warn(
                    Some(&host.name),
                    format!(
                        "{target} had a recipe `{name}`, which the files have no more; it is left out"
                    ),
                );
                continue;
            };
            let wanted = Desired {
                spec: recorded.spec.clone(),
                image: recorded.image.clone(),
                instances: recorded.instances,
                secrets: secrets.of(&recorded.spec.secrets).await?,
            };
            desired
                .entry(recipe.name.clone())
                .or_default()
                .insert(host.name.clone(), wanted);
        }
    }
    let had: Vec<Name> = environment
        .recipes
        .iter()
        .filter(|recipe| desired.contains_key(&recipe.name) && scope.has_recipe(&recipe.name))
        .map(|recipe| recipe.name.clone())
        .collect();
    if had.is_empty() {
        return Err(Stop::new(
            RunOutcome::NotReady,
            format!("{target} has nothing to go back to on these hosts"),
        )
        .hint(format!("shipit history {}", environment.name)));
    }
    scope.recipes = had;
    scope.hosts = hosts;
    Ok(desired)
}

/// The records that a release leaves: what is wanted on each of its hosts, and of recipes outside its scope
/// what the host had before.
pub fn records(
    lock_host: &HostName,
    template: &Record,
    scope: &Scope,
    desired: &DesiredState,
    history: &History,
    hashes: &Hashes,
) -> Vec<Record> {
    let mut hosts: BTreeSet<_> = desired.values().flat_map(BTreeMap::keys).collect();
    // The lock's host knows of every release, also of those that were limited to others: so whoever holds
    // the lock finds the next number, whatever hosts it reaches beside.
    hosts.insert(lock_host);
    let record_of = |host: &HostName| {
        let before = history.recent_successes(host, 1).next();
        let mut recipes = before
            .map(|record| record.recipes.clone())
            .unwrap_or_default();
        let replaced = |name: &Name| scope.has_host(host) && scope.has_recipe(name);
        recipes.retain(|name, _| name.parse().is_ok_and(|name| !replaced(&name)));
        for (recipe, on) in desired
            .iter()
            .filter(|(recipe, _)| scope.has_recipe(recipe))
        {
            let Some(wanted) = on.get(host) else { continue };
            let hash = hashes
                .get(&(recipe.clone(), host.clone()))
                .cloned()
                .unwrap_or_default();
            let Desired {
                spec,
                image,
                instances,
                secrets: _,
            } = wanted.clone();
            recipes.insert(
                recipe.to_string(),
                RecipeRecord {
                    spec,
                    image,
                    instances,
                    hash,
                },
            );
        }
        Record {
            host: host.clone(),
            recipes,
            ..template.clone()
        }
    };
    hosts.into_iter().map(record_of).collect()
}

/// The hashes of the specs as the containers carry them, by recipe and host.
pub type Hashes = BTreeMap<(Name, HostName), String>;
