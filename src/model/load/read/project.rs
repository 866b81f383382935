//! The project's folder and the environments in it.

use std::{
    ffi::OsStr,
    fmt::Display,
    path::{Path, PathBuf},
};

use super::super::{did_you_mean, unreadable};
use crate::{
    config::{self, inventory::Inventory},
    diagnostic::{Located, Problem, Problems},
    model::Name,
    text::list,
};

/// A folder with `inventory/` and `recipes/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder; relative paths in the files start here.
    pub root: PathBuf,
}

impl Project {
    /// The nearest folder from `from` upwards that holds `inventory/`.
    ///
    /// # Errors
    ///
    /// When there is none up to the root of the file system.
    pub fn find(from: &Path) -> Result<Self, Problem> {
        let start = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        start
            .ancestors()
            .find(|folder| folder.join("inventory").is_dir())
            .map(|root| Self {
                root: root.to_owned(),
            })
            .ok_or_else(|| {
                Problem::error(format!(
                    "no folder `inventory` in `{}` or above it",
                    start.display()
                ))
                .hint("change into the project's folder, or name it with `-C DIR`")
            })
    }

    /// The environments, by name: the files `inventory/*.toml`.
    pub fn environments(&self) -> Vec<Name> {
        self.names_in("inventory")
    }

    /// The recipes that have a file, by name.
    pub(in super::super) fn recipes(&self) -> Vec<Name> {
        self.names_in("recipes")
    }

    /// The files that could only be environments or recipes, if their names were names. Hidden ones are an
    /// editor's.
    pub(in super::super) fn misnamed(&self) -> Problems {
        let mut problems = Problems::new();
        for folder in ["inventory", "recipes"] {
            for stem in self.stems_in(folder) {
                if !stem.starts_with('.')
                    && let Err(error) = stem.parse::<Name>()
                {
                    problems.push(
                        Problem::warning(format!("`{folder}/{stem}.toml` is not read: {error}"))
                            .hint("rename the file, or move it elsewhere"),
                    );
                }
            }
        }
        problems
    }

    fn names_in(&self, folder: &str) -> Vec<Name> {
        let stems = self.stems_in(folder).into_iter();
        stems.filter_map(|stem| stem.parse().ok()).collect()
    }

    /// What the folder's `*.toml` are called, sorted.
    fn stems_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(folder));
        let mut stems: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let is_toml = path.extension() == Some(OsStr::new("toml")) && path.is_file();
                is_toml.then(|| Some(path.file_stem()?.to_string_lossy().into_owned()))?
            })
            .collect();
        stems.sort();
        stems
    }

    /// The name as a name, if there is such an environment.
    pub(in super::super) fn environment_name(&self, name: &str) -> Result<Name, Problem> {
        let environments = self.environments();
        let known = || environments.iter().map(|name| &**name);
        environments
            .iter()
            .find(|known| &***known == name)
            .cloned()
            .ok_or_else(|| {
                Problem::error(format!(
                    "no environment `{name}`: no file `inventory/{name}.toml`"
                ))
                .hint(
                    did_you_mean(name, known())
                        .unwrap_or_else(|| format!("the environments here are {}", list(known()))),
                )
            })
    }

    /// A path from one of the files: `~` is the home folder, and what is relative starts at the root.
    pub(in super::super) fn path(&self, text: &str) -> Result<PathBuf, String> {
        let home = || std::env::home_dir().ok_or("`~` stands for nothing: HOME is not set");
        Ok(match text.strip_prefix('~') {
            Some("") => home()?,
            Some(rest) if rest.starts_with('/') => home()?.join(rest.trim_start_matches('/')),
            _ => self.root.join(text),
        })
    }
}

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
                .hint("write `inventory/staging.toml`; docs/files.md has an example")
                .into()
        });
    }
    let mut problems = Problems::new();
    let defaults = defaults(project, &environments, &mut problems);
    let known = list(environments.iter().map(|name| &**name));
    match defaults.as_slice() {
        [(only, _)] => return Ok(only.clone()),
        [] => problems.push(
            Problem::error("which environment? there are several and none says `default = true`")
                .hint(format!("name one of {known}")),
        ),
        [(_, first), (_, second), ..] => problems.push(several_defaults(first, second, &known)),
    }
    Err(problems)
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
    Problem::error("which environment? several say `default = true`")
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
                if let Some(default) = file.content.default.filter(|default| default.value) {
                    defaults.push((name.clone(), default));
                }
            }
            Err(error) => problems.push(unreadable(&shown, &error)),
        }
    }
    defaults
}
