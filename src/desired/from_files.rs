//! What the files want.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker,
    hosts::Run,
    images::{Pins, Wanted},
    model::{
        ContainerSpec, Environment, HostName, HostRecipe, LateValues, Recipe, Task, TaskAction,
    },
    plan::{Desired, DesiredState, Scope},
    secrets::Secrets,
};

/// The recipes of a scope. The images and secrets of the others are not needed: they only have to run.
fn in_scope<'e>(
    environment: &'e Environment,
    scope: &'e Scope,
) -> impl Iterator<Item = &'e Recipe> {
    environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
}

/// Reads the secrets of a scope's recipes, so that a missing value ends the run before any host is contacted.
pub async fn read_secrets(
    environment: &Environment,
    scope: &Scope,
    secrets: &Secrets<'_>,
) -> Run<()> {
    for recipe in in_scope(environment, scope) {
        for (_, on) in recipe
            .by_host
            .iter()
            .filter(|(host, _)| scope.has_host(host))
        {
            secrets.of(&on.secrets).await?;
        }
    }
    Ok(())
}

/// The images that the recipes of a scope name, each with the hosts that use it.
pub fn wanted_images(
    environment: &Environment,
    scope: &Scope,
) -> BTreeMap<Wanted, BTreeSet<HostName>> {
    let mut users = BTreeMap::<Wanted, BTreeSet<HostName>>::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe
            .by_host
            .iter()
            .filter(|(host, _)| scope.has_host(host))
        {
            if let Some(spec) = &on.container {
                users
                    .entry(Wanted::of(spec))
                    .or_default()
                    .insert(host.clone());
            }
        }
    }
    users
}

/// What the files want on the hosts of a scope, by the images that their references mean now.
pub async fn from_files(
    environment: &Environment,
    scope: &Scope,
    pins: &Pins,
    secrets: &Secrets<'_>,
) -> Run<DesiredState> {
    let mut desired = DesiredState::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe
            .by_host
            .iter()
            .filter(|(host, _)| scope.has_host(host))
        {
            let Some(spec) = &on.container else { continue };
            let Some(image) = pins.get(&Wanted::of(spec)) else {
                continue;
            };
            let wanted = Desired {
                spec: ContainerSpec {
                    setup: setup(on),
                    ..spec.clone()
                },
                image: image.clone(),
                instances: on.instances,
                secrets: secrets.of(&on.secrets).await?,
                unread: None,
                stopped: None,
            };
            desired
                .entry(recipe.name.clone())
                .or_default()
                .insert(host.clone(), wanted);
        }
    }
    Ok(desired)
}

/// The hash of a recipe's `before` and `after` on one host; `None` without any.
pub fn setup(on: &HostRecipe) -> Option<String> {
    let late = LateValues::dummy();
    let describe = |task: &Task| match &task.action {
        TaskAction::Run(script) => format!("run {}", script.render(&late).unwrap_or_default()),
        TaskAction::RunInNew(words) => {
            let words = words.iter().map(|it| it.render(&late).unwrap_or_default());
            format!("new {}", words.collect::<Vec<_>>().join("\u{1}"))
        }
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
