//! The recipes of an environment: read, put in order, resolved for their hosts.

mod container;
mod order;
mod policy;
mod tasks;

use super::{
    Project,
    hosts::Members,
    layer::{Layers, known_hint},
    scope::{self, Resolver, Scope, World},
    unreadable,
};
use crate::{
    config::{self, File, inventory::Inventory, recipe::Recipe as Raw},
    diagnostic::{Located, Problem, Problems, SourceFile},
    model::{BalancerView, HostRecipe, Name, Recipe},
};

/// A recipe as its file has it.
pub(super) struct RawRecipe {
    /// Its name, where the inventory has it.
    pub name: Located<Name>,
    /// Its file.
    pub file: File<Raw>,
}

/// Reads the files of all recipes that the inventory names.
pub(super) fn read(
    project: &Project,
    inventory: &Inventory,
    problems: &mut Problems,
) -> Vec<RawRecipe> {
    let names = inventory.recipes.as_ref().map(|recipes| recipes.as_slice());
    let names = names.unwrap_or_default();
    let mut recipes: Vec<RawRecipe> = Vec::new();
    for text in names {
        let name = match text.parse::<Name>() {
            Ok(name) => name,
            Err(error) => {
                problems.push(Problem::error(error.to_string()).at(&text.place, "not a name"));
                continue;
            }
        };
        if recipes.iter().any(|known| known.name.value == name) {
            problems.push(
                Problem::error(format!("recipe `{name}` is there twice")).at(&text.place, "again"),
            );
            continue;
        }
        let shown = format!("recipes/{name}.toml");
        match config::read::<Raw>(&project.root.join(&shown), &shown) {
            Ok(file) => {
                problems.extend(file.problems.clone());
                let place = text.place.clone();
                let name = Located { value: name, place };
                recipes.push(RawRecipe { name, file });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let files = project.recipes();
                let known = files.iter().map(|name| &**name).collect();
                problems.push(
                    Problem::error(format!("unknown recipe `{name}`: no file `{shown}`"))
                        .at(&text.place, "no such file")
                        .hint(known_hint(&name, "recipes", known)),
                );
            }
            Err(error) => {
                problems.push(unreadable(&shown, &error).at(&text.place, "named here"));
            }
        }
    }
    recipes
}

/// Reads the files of the recipes that no inventory names, for mistakes in how they are written. What
/// their texts mean depends on hosts and vars, so it cannot be told.
pub(super) fn read_unused(project: &Project, inventories: &[Layers], problems: &mut Problems) {
    let are_whole = inventories.iter().all(|layers| layers.is_whole);
    let is_used = |name: &Name| {
        inventories
            .iter()
            .filter_map(|layers| layers.inventory.recipes.as_ref())
            .flat_map(|recipes| recipes.iter())
            .any(|used| *used.value == **name)
    };
    for name in project.recipes().iter().filter(|name| !is_used(name)) {
        let shown = format!("recipes/{name}.toml");
        match config::read::<Raw>(&project.root.join(&shown), &shown) {
            Ok(file) => {
                if are_whole {
                    problems.push(
                        Problem::warning(format!("no environment uses the recipe `{name}`"))
                            .hint(format!("name it in an inventory, or remove `{shown}`")),
                    );
                }
                problems.extend(file.problems);
            }
            Err(error) => problems.push(unreadable(&shown, &error)),
        }
    }
}

/// An inventory without recipes is good for `exec` alone.
pub(super) fn warn_without(file: &SourceFile, inventory: &Inventory, problems: &mut Problems) {
    let recipes = inventory.recipes.as_ref();
    if recipes.is_none_or(|recipes| recipes.is_empty()) {
        let place = recipes.map_or_else(|| file.place(0..0), |recipes| recipes.place.clone());
        problems.push(
            Problem::warning("the inventory names no recipes")
                .at(&place, "nothing to deploy")
                .hint("add `recipes = [\"web\"]` above `[hosts]`"),
        );
    }
}

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
    let own = hosts_of(recipe, members, problems);
    let defaults = scope::vars(raw.vars.as_ref(), problems);
    // A recipe whose hosts are wrong is tried on all of them, to find what else is wrong in it.
    let tried: Vec<usize> = if own.is_empty() {
        (0..members.hosts.len()).collect()
    } else {
        own
    };
    let scope = Scope::new(world, defaults, tried.clone());
    check_kind(recipe, problems);

    let on = tried.iter().map(|&index| {
        let mut resolver = Resolver {
            scope: &scope,
            host: Some(index),
            problems: &mut *problems,
        };
        let host = members.hosts[index].host.name.clone();
        (host, on_host(raw, &mut resolver))
    });
    let on: std::collections::BTreeMap<_, _> = on.collect();
    let mut resolver = Resolver {
        scope: &scope,
        host: None,
        problems,
    };
    let probe = policy::probe(raw, members, &mut resolver);
    let recipe = Recipe {
        name: recipe.name.value.clone(),
        description: raw
            .description
            .as_ref()
            .map(|text| resolver.text(text))
            .unwrap_or_default(),
        hosts: tried
            .iter()
            .map(|&index| members.hosts[index].host.name.clone())
            .collect(),
        requires: order::requires(recipe, all, files, problems),
        rollout: policy::rollout(raw, problems),
        drain: policy::drain(raw, all, files, problems),
        probe,
        on,
    };
    policy::check(raw, &recipe, problems);
    policy::warn_named_hosts(raw, &recipe, members, problems);
    recipe
}

/// The recipe's hosts as indexes, in the inventory's order.
fn hosts_of(recipe: &RawRecipe, members: &Members, problems: &mut Problems) -> Vec<usize> {
    let Some(wanted) = &recipe.file.content.hosts else {
        let start = recipe.file.source.place(0..0);
        problems.push(
            Problem::error(format!("recipe `{}` has no hosts", recipe.name.value))
                .at(&start, "`hosts` is missing")
                .hint("add `hosts = \"GROUP\"`, a host, a list of those, or `\"all\"`"),
        );
        return Vec::new();
    };
    if wanted.0.is_empty() {
        problems.push(
            Problem::error(format!("recipe `{}` has no hosts", recipe.name.value))
                .at(&wanted.place, "an empty list"),
        );
    }
    let mut own = vec![false; members.hosts.len()];
    for text in &wanted.0 {
        let mut found = false;
        for (index, member) in members.hosts.iter().enumerate() {
            let host = &member.host;
            if text.value == "all"
                || *host.name == *text.value
                || host.groups.iter().any(|group| **group == *text.value)
            {
                own[index] = true;
                found = true;
            }
        }
        // Without hosts there is another mistake to mend first.
        if !found && !members.hosts.is_empty() {
            let names = members.hosts.iter().map(|member| &*member.host.name);
            let groups = members.groups.iter().map(|group| &**group);
            let near = super::did_you_mean(text, groups.clone().chain(names).chain(["all"]));
            problems.push(
                Problem::error(format!("unknown host or group `{}`", text.value))
                    .at(
                        &text.place,
                        "neither a host nor a group of this environment",
                    )
                    .hint(near.unwrap_or_else(|| {
                        format!("the groups are {}", crate::text::list(groups))
                    })),
            );
        }
    }
    (0..own.len()).filter(|index| own[*index]).collect()
}

/// A recipe has a container or commands, and only what goes with it.
fn check_kind(recipe: &RawRecipe, problems: &mut Problems) {
    let raw = &recipe.file.content;
    match (&raw.container, &raw.commands) {
        (None, None) => problems.push(
            Problem::error(format!(
                "recipe `{}` has neither `[container]` nor `[[commands]]`",
                recipe.name.value
            ))
            .at(&recipe.file.source.place(0..0), "nothing to run"),
        ),
        (Some(_), Some(commands)) => problems.push(
            Problem::error("`[[commands]]` beside `[container]`")
                .at(&commands.place, "of a recipe without a container")
                .hint("`[[before]]` runs before the container starts, `[[after]]` after"),
        ),
        (Some(_), None) => {}
        (None, Some(_)) => {
            let misplaced = [
                ("[[before]]", raw.before.as_ref().map(|found| &found.place)),
                ("[[after]]", raw.after.as_ref().map(|found| &found.place)),
                ("[ready]", raw.ready.as_ref().map(|found| &found.place)),
                ("[rollout]", raw.rollout.as_ref().map(|found| &found.place)),
                ("[drain]", raw.drain.as_ref().map(|found| &found.place)),
                ("[probe]", raw.probe.as_ref().map(|found| &found.place)),
            ];
            for (name, place) in misplaced {
                if let Some(place) = place {
                    problems.push(
                        Problem::error(format!("`{name}` without `[container]`"))
                            .at(place, "is about a container")
                            .hint("a recipe without a container has `[[commands]]` alone"),
                    );
                }
            }
        }
    }
}

fn on_host(raw: &Raw, resolver: &mut Resolver<'_>) -> HostRecipe {
    let container = raw
        .container
        .as_ref()
        .map(|section| container::resolve(section, resolver));
    HostRecipe {
        instances: container::instances(raw),
        before: tasks::resolve(raw.before.as_ref(), resolver),
        after: tasks::resolve(raw.after.as_ref(), resolver),
        commands: tasks::resolve(raw.commands.as_ref(), resolver),
        ready: policy::ready(raw, container.as_ref(), resolver),
        balancer: raw.balancer.as_ref().and_then(|balancer| {
            let Some(upstreams) = &balancer.upstreams else {
                resolver.problems.push(
                    Problem::error("`[balancer]` has no `upstreams`")
                        .at(&balancer.place, "`upstreams` is missing")
                        .hint("a command that prints what it routes to: `docker exec {{container}} nginx -T`"),
                );
                return None;
            };
            Some(BalancerView {
                upstreams: resolver.command(upstreams),
            })
        }),
        container,
    }
}
