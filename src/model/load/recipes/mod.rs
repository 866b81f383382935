//! The recipes of an environment: put in order, resolved for their hosts.

mod balancer;
mod container;
mod drain;
mod hosts;
mod order;
mod probe;
mod ready;
mod references;
mod register;
mod rollout;
mod tasks;

pub use container::container_faults;
pub(super) use container::has_volume_driver;

use super::{
    hosts::vars,
    read::RawRecipe,
    scope::{Resolver, Scope, Settle, World, meaning},
};
use crate::{
    config::recipe::Recipe as Raw,
    diagnostic::Problems,
    model::{ConsulService, HostRecipe, Name, Recipe},
};

/// Resolves the recipes, in order.
pub(super) fn resolve(
    world: &World<'_>,
    raw: &[RawRecipe],
    problems: &mut Problems,
) -> Vec<Recipe> {
    let files = world.project.recipes();
    let mut resolved = Vec::new();
    for index in order::order(raw, problems) {
        let recipe = &raw[index];
        if recipe.file.is_toml {
            resolved.push(resolve_one(world, recipe, raw, &files, problems));
        }
    }
    resolved
}

fn resolve_one(
    world: &World<'_>,
    recipe: &RawRecipe,
    all: &[RawRecipe],
    files: &[Name],
    problems: &mut Problems,
) -> Recipe {
    let raw = &recipe.file.content;
    let members = world.members;
    let own = hosts::of(recipe, members, problems);
    let defaults = vars::read(raw.vars.as_ref(), problems);
    // A recipe whose hosts are wrong is tried on all of them, to find what else is wrong in it.
    let tried: Vec<usize> = if own.is_empty() {
        (0..members.hosts.len()).collect()
    } else {
        own
    };
    let scope = Scope::new(world, &recipe.name.value, defaults, tried.clone());

    let drained = balancer::drained_through(recipe, all);
    let by_host = tried.iter().map(|&index| {
        let mut resolver = Resolver {
            scope: &scope,
            host: Some(index),
            problems: &mut *problems,
        };
        let host = members.hosts[index].host.name.clone();
        (host, on_host(raw, &drained, &mut resolver))
    });
    let by_host: std::collections::BTreeMap<_, _> = by_host.collect();
    let mut resolver = Resolver {
        scope: &scope,
        host: None,
        problems,
    };
    let rollout = raw.rollout.settle(&mut resolver);
    let probe = probe::resolve(raw, members, &mut resolver);
    Recipe {
        name: recipe.name.value.clone(),
        description: raw
            .description
            .as_ref()
            .map(|text| resolver.text(text, &text.place))
            .unwrap_or_default(),
        accessory: raw
            .container
            .as_ref()
            .is_some_and(|container| *container.accessory.value()),
        hosts: tried
            .iter()
            .map(|&index| members.hosts[index].host.name.clone())
            .collect(),
        requires: references::requires(recipe, all, files, problems),
        rollout,
        drain: drain::resolve(raw, all, files, problems),
        probe,
        by_host,
    }
}

fn on_host(raw: &Raw, drained: &[Name], resolver: &mut Resolver<'_>) -> HostRecipe {
    let mut container = raw
        .container
        .as_ref()
        .map(|section| container::resolve(section, resolver));
    let secrets = raw
        .container
        .as_ref()
        .map(|section| container::secret_sources(section, resolver));
    let register = register::resolve(raw, resolver);
    if let (Some(container), Some(service)) = (&mut container, &register) {
        let label = ConsulService::LABEL.to_owned();
        container.labels.insert(label, service.label());
    }
    HostRecipe {
        secrets: secrets.unwrap_or_default(),
        instances: raw
            .container
            .as_ref()
            .and_then(|container| container.instances.written())
            .map_or(1, |instances| meaning(instances, resolver)),
        before: tasks::resolve(raw.before.as_ref(), container.is_some(), resolver),
        after: tasks::resolve(raw.after.as_ref(), container.is_some(), resolver),
        commands: tasks::resolve(raw.commands.as_ref(), container.is_some(), resolver),
        ready: raw.ready.settle(resolver),
        register,
        leave: drain::leave(raw, resolver),
        balancer: balancer::resolve(raw, drained, resolver),
        container,
    }
}
