//! Which environment is meant when none is named.

use std::fmt::Display;

use super::{Project, file::unreadable};
use crate::{
    config::{self, inventory::Inventory},
    diagnostic::{Located, Problem, Problems},
    model::Name,
    text::list,
};

/// The environment that is meant when none is named: the only one, or the one that says `default = true`.
///
/// # Errors
///
/// When there is none or no telling which; the hint lists them.
pub fn default_environment(project: &Project) -> Result<Name, Problems> {
    let mut environments = project.environments();
    if environments.len() <= 1 {
        return environments.pop().ok_or_else(|| {
            Problem::error("no environment: `inventory/` has no file `NAME.toml`")
                .hint("`shipit init` writes one, and asks what should be in it")
                .into()
        });
    }
    let mut problems = Problems::new();
    let defaults = defaults(project, &environments, &mut problems);
    let known = list(environments.iter().map(|name| &**name));
    match defaults.as_slice() {
        [(only, _)] => return Ok(only.clone()),
        [] => problems.push(
            Problem::error("which environment? there are several, and none has `default = true`")
                .hint(format!("name one of {known}")),
        ),
        [(_, first), (_, second), ..] => problems.push(several_defaults(first, second, &known)),
    }
    Err(problems)
}

/// The environments whose own inventory has `[previews]`. One that cannot be read has none.
pub fn environments_with_previews(project: &Project) -> Vec<Name> {
    let mut environments = project.environments();
    environments.retain(|name| {
        let shown = format!("inventory/{name}.toml");
        let file = config::read::<Inventory>(&project.root.join(&shown), &shown);
        file.is_ok_and(|file| file.content.previews.is_some())
    });
    environments
}

/// That several environments are the default one, which stops whatever names none.
pub(in super::super) fn check_default(project: &Project, problems: &mut Problems) {
    let environments = project.environments();
    // What cannot be read is told where it is loaded.
    let defaults = defaults(project, &environments, &mut Problems::new());
    if let [(_, first), (_, second), ..] = defaults.as_slice() {
        let known = list(environments.iter().map(|name| &**name));
        problems.push(several_defaults(first, second, &known));
    }
}

fn several_defaults(
    first: &Located<bool>,
    second: &Located<bool>,
    known: &impl Display,
) -> Problem {
    Problem::error("which environment? several have `default = true`")
        .at(&first.place, "one")
        .at(&second.place, "another")
        .hint(format!("leave it in one file, or name one of {known}"))
}

/// The environments that say `default = true`.
fn defaults(
    project: &Project,
    environments: &[Name],
    problems: &mut Problems,
) -> Vec<(Name, Located<bool>)> {
    let mut defaults = Vec::new();
    for name in environments {
        let shown = format!("inventory/{name}.toml");
        match config::read::<Inventory>(&project.root.join(&shown), &shown) {
            Ok(file) => {
                if let Some(default) = file
                    .content
                    .default
                    .written()
                    .filter(|default| default.value)
                {
                    defaults.push((name.clone(), default.clone()));
                }
            }
            Err(error) => problems.push(unreadable(&shown, &error)),
        }
    }
    defaults
}
