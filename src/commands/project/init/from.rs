//! `--from FILE`: another tool's file, and those beside it.

use std::path::{Path, PathBuf};

use super::answers::{Answers, name_of};
use crate::{
    diagnostic::{Problem, Problems, SourceFile},
    files,
    model::Name,
    scaffold::{Beside, Draft, Foreign, Host},
    terminal::Terminal,
};

/// The environment of a Kamal configuration without destinations.
const OF_KAMAL: &str = "production";

/// Another tool's file, and what it becomes.
pub struct From {
    path: PathBuf,
    foreign: Foreign,
    destinations: Vec<(Name, SourceFile)>,
}

impl From {
    /// Reads the file, and the destinations beside one of Kamal's.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let foreign = Foreign::read(&source(path)?)?;
        let destinations = match foreign {
            Foreign::Kamal(_) => destinations(path)?,
            Foreign::Compose(_) => Vec::new(),
        };
        Ok(Self {
            path: path.to_owned(),
            foreign,
            destinations,
        })
    }

    /// The project, and the environments to name in what is typed next. Compose's file names no hosts: they are on the
    /// command line, or asked for.
    pub fn draft(
        self,
        named: Option<Name>,
        answers: Answers,
        terminal: &Terminal,
        root: &Path,
    ) -> Result<Draft, Problems> {
        let (environment, hosts, user) = match self.foreign {
            Foreign::Compose(_) => {
                let answers = answers.complete(terminal)?;
                (answers.environment, answers.hosts, answers.user)
            }
            Foreign::Kamal(_) => {
                answers.refuse_hosts()?;
                let environment = match named {
                    Some(name) => name,
                    None => name_of(OF_KAMAL)?,
                };
                (environment, Vec::<Host>::new(), String::new())
            }
        };
        let absolute = std::path::absolute(&self.path).unwrap_or(self.path);
        let folder = absolute.parent().and_then(Path::file_name);
        let folder = folder.map(|name| name.to_string_lossy().to_lowercase());
        self.foreign.draft(&Beside {
            environment: &environment,
            folder: folder.as_deref().unwrap_or("app"),
            hosts: &hosts,
            user: &user,
            destinations: &self.destinations,
            root,
        })
    }
}

fn source(path: &Path) -> Result<SourceFile, Problem> {
    let name = path.display().to_string();
    match files::read_text(path) {
        Ok(text) => Ok(SourceFile::new(name, text)),
        Err(error) => Err(Problem::error(format!("cannot read `{name}`: {error}"))
            .hint("name a Compose file, or the `config/deploy.yml` of Kamal")),
    }
}

/// `deploy.staging.yml` beside `deploy.yml`, by name.
fn destinations(path: &Path) -> Result<Vec<(Name, SourceFile)>, Problem> {
    let (Some(stem), Some(ending)) = (path.file_stem(), path.extension()) else {
        return Ok(Vec::new());
    };
    let (stem, ending) = (stem.to_string_lossy(), ending.to_string_lossy());
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new(".")));
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = file
            .strip_prefix(&format!("{stem}."))
            .and_then(|rest| rest.strip_suffix(&format!(".{ending}")));
        if let Some(name) = name.and_then(|name| name.parse::<Name>().ok()) {
            found.push((name, source(&entry.path())?));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}
