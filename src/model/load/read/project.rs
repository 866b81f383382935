//! The project's folder and the environments in it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::{
    config::suggest::did_you_mean_or_all,
    diagnostic::{Located, Problem, Problems},
    model::Name,
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
                .hint("`shipit init` begins a project here; `-C DIR` names one elsewhere")
            })
    }

    /// The environments, by name: the files `inventory/*.toml`.
    pub fn environments(&self) -> Vec<Name> {
        self.names_in("inventory")
    }

    /// The recipes that have a file, by name.
    pub fn recipes(&self) -> Vec<Name> {
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
        let found = environments.iter().find(|known| &***known == name).cloned();
        found.ok_or_else(|| {
            let known = environments.iter().map(|name| &**name).collect();
            Problem::error(format!(
                "no environment `{name}`: no file `inventory/{name}.toml`"
            ))
            .hint(did_you_mean_or_all(name, "environments here", known))
        })
    }

    /// A path from one of the files: `~` is the home folder, and what is relative starts at the root.
    fn path(&self, text: &str) -> Result<PathBuf, String> {
        let home = || std::env::home_dir().ok_or("`~` cannot be expanded: HOME is not set");
        Ok(match text.strip_prefix('~') {
            Some("") => home()?,
            Some(rest) if rest.starts_with('/') => home()?.join(rest.trim_start_matches('/')),
            _ => self.root.join(text),
        })
    }

    /// The same for a value of a file: what is wrong with it is a problem at its place.
    pub(in super::super) fn path_at<T>(
        &self,
        text: &str,
        at: &Located<T>,
        problems: &mut Problems,
    ) -> PathBuf {
        if text.is_empty() {
            problems.push(Problem::error("an empty path").at(&at.place, "expected a path"));
        }
        self.path(text).unwrap_or_else(|why| {
            problems.push(Problem::error(why).at(&at.place, "has `~`"));
            PathBuf::from(text)
        })
    }
}
