//! From the project's files to an [`Environment`]: every mistake of every file at once.
//!
//! Each part goes on after a mistake with something in its place, so that the mistakes after it are found
//! too; the result is handed out only if there was none.

mod hosts;
mod layer;
mod read;
mod recipes;
mod scope;
mod settings;

pub use read::{Project, default_environment};

use super::Environment;
use crate::{
    config,
    diagnostic::{Problem, Problems},
};

/// What the command line changes.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--set KEY=VALUE`: vars that go before those of all files.
    pub set: Vec<(String, String)>,
}

/// An environment without mistakes.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The environment.
    pub environment: Environment,
    /// What is worth knowing about it.
    pub warnings: Problems,
}

/// Reads and checks everything that an environment is made of. Contacts nothing.
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
    let name = project.environment_name(environment)?;
    let layers = layer::read(project, &name, &mut problems);
    let is_whole = layers.is_whole;
    let inventory = layers.inventory;

    let recipes = recipes::read(project, &inventory, &mut problems);
    if !is_whole {
        // Hosts, groups and vars may be missing because of that; what misses them is no mistake.
        return Err(problems.sorted());
    }

    recipes::warn_without(&layers.file, &inventory, &mut problems);
    let ssh = inventory.ssh.as_ref().map(|ssh| &ssh.value);
    let set = scope::overrides(overrides, &inventory, &recipes, &mut problems);
    let members = hosts::resolve(project, &layers.file, &inventory, ssh, set, &mut problems);
    let world = scope::World {
        project,
        environment: &name,
        members: &members,
        default_source: settings::image_source(&inventory),
    };
    let recipes = recipes::resolve(&world, &recipes, &mut problems);
    let environment = Environment {
        consul: settings::consul(&inventory, &mut problems),
        keep_releases: settings::keep_releases(&inventory, &mut problems),
        registries: settings::registries(project, &inventory, &mut problems),
        name: name.clone(),
        hosts: members
            .hosts
            .into_iter()
            .map(|member| member.host)
            .collect(),
        recipes,
    };
    if problems.has_errors() {
        return Err(problems.sorted());
    }
    Ok(Loaded {
        environment,
        warnings: problems.sorted(),
    })
}

/// What is wrong in a project beside its environments: recipes that none of them uses, files whose names
/// hide them, and several that are the default.
pub fn check_the_rest(project: &Project) -> Problems {
    let mut problems = project.misnamed();
    let environments = project.environments();
    // Their own mistakes are told where they are loaded.
    let inventories: Vec<_> = environments
        .iter()
        .map(|name| layer::read(project, name, &mut Problems::new()))
        .collect();
    recipes::read_unused(project, &inventories, &mut problems);
    read::check_default(project, &mut problems);
    problems.sorted()
}

/// A mistake in reading a file, in the words of the operating system.
fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    let why = if error.kind() == std::io::ErrorKind::InvalidData {
        "it is not UTF-8 text".to_owned()
    } else {
        error.to_string()
    };
    Problem::error(format!("cannot read `{name}`: {why}"))
}

/// The nearest of `known` as a question, if one is clearly nearest.
fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    config::section::nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests;
