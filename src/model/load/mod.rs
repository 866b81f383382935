//! From the project's files to an [`Environment`]: every mistake of every file at once.
//!
//! Each part goes on after a mistake with something in its place, so that the mistakes after it are found
//! too; the result is handed out only if there was none.

mod check;
mod consul;
mod hosts;
mod layer;
mod names;
mod previews;
mod read;
mod recipes;
mod scope;
mod secret;
mod settings;

pub use check::check_the_rest;
pub use hosts::{Overrides, is_var_name};
pub use names::{Names, RecipeName, names};
pub use read::{Project, default_environment, environments_with_previews};
pub use recipes::container_faults;

use std::cell::{Cell, RefCell};

use super::Environment;
use crate::diagnostic::Problems;

/// An environment without mistakes.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The environment.
    pub environment: Environment,
    /// What is worth knowing about it.
    pub warnings: Problems,
}

/// Reads and checks everything that an environment is made of. Contacts nothing. `BASE.NAME` is the preview `NAME` of
/// the environment `BASE`, unless there is an inventory of that name.
///
/// # Errors
///
/// Every mistake in every file that belongs to the environment, and the warnings.
pub fn load(
    project: &Project,
    environment: &str,
    overrides: &Overrides,
) -> Result<Loaded, Problems> {
    let mut problems = Problems::new();
    let previews::Target { name, preview } = previews::target(project, environment)?;
    let inventories = read::inventories(project, &name, &mut problems);
    let inventory = layer::over_each_other(inventories.layers);
    let recipes = read::recipes(project, &inventory, &mut problems);
    if !inventories.is_whole {
        // Hosts, groups and vars may be missing because of that; what misses them is no mistake.
        return Err(problems.sorted());
    }

    let file = &inventories.file;
    check::warn_without_recipes(file, &inventory, &mut problems);
    let previews = previews::settings(&inventory, &recipes, &mut problems);
    if let Some(preview) = &preview {
        previews::refuse_without_settings(preview, file, &inventory)?;
    }
    let set = hosts::vars::overrides(overrides, &inventory, &recipes, &mut problems);
    let members = hosts::resolve(project, file, &inventory, set, &mut problems);
    let of_preview = preview.as_ref().zip(previews.as_ref());
    let world = scope::World {
        project,
        environment: &name,
        preview: of_preview.map(|(preview, settings)| scope::OfPreview {
            name: &preview.name,
            recipes: &settings.recipes,
        }),
        members: &members,
        default_source: settings::image_source(&inventory),
        named: RefCell::default(),
        steps: Cell::default(),
    };
    let resolved = recipes::resolve(&world, &recipes, &mut problems);
    if recipes.iter().all(|recipe| recipe.file.is_toml) {
        let named = world.named.borrow();
        hosts::vars::refuse_unused(
            &name,
            overrides,
            &inventory,
            &recipes,
            &named,
            &mut problems,
        );
    }
    let names_consul = inventory.consul.is_some();
    check::recipes(&recipes, &resolved, &members, names_consul, &mut problems);
    let (own, shared) = previews::keep_apart(&world, &recipes, resolved, &mut problems);
    let environment = Environment {
        consul: consul::consul(project, &inventory, &mut problems),
        ports: settings::ports(&inventory, &mut problems),
        keep_releases: settings::keep_releases(&inventory),
        state_key: settings::state_key(project, &inventory, &mut problems),
        hooks: settings::hooks(&inventory, &mut problems),
        registries: settings::registries(project, &inventory, &mut problems),
        name: preview.as_ref().map_or_else(
            || name.clone(),
            |preview| preview.name.environment_of(&name),
        ),
        preview: preview.clone(),
        previews: previews.clone(),
        hosts: members
            .hosts
            .into_iter()
            .map(|member| member.host)
            .collect(),
        recipes: own,
        shared,
    };
    if problems.has_errors() {
        return Err(problems.sorted());
    }
    Ok(Loaded {
        environment,
        warnings: problems.sorted(),
    })
}

#[cfg(test)]
mod tests;
