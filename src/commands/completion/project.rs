//! What the project at hand has for each kind of argument.

use std::{path::Path, sync::OnceLock};

use serde_json::Value;

use super::line::Line;
use crate::{
    commands::{arguments::Kind, on_hosts::log_file},
    config::explain,
    model::{self, Name, Names, Project, RecipeName},
    secrets::sealed,
    text,
};

/// What may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub value: String,
    /// What is known of it; may be empty.
    pub about: String,
}

/// The project that a line is about. Read when it is asked for, each file once.
pub struct LineProject {
    project: Option<Project>,
    line: Line,
    names: OnceLock<Names>,
}

impl LineProject {
    /// The project of the folder that the line names, else of `here`.
    pub fn of(line: Line, here: &Path) -> Self {
        let from = match &line.directory {
            Some(directory) => here.join(directory),
            None => here.to_owned(),
        };
        Self {
            project: Project::find(&from).ok(),
            line,
            names: OnceLock::new(),
        }
    }

    /// Whether the line names an environment, in its place.
    pub fn names_environment(&self) -> bool {
        self.named_environment().is_some()
    }

    /// How many words the line has that are no commands and no options.
    pub fn words(&self) -> usize {
        self.line.positionals.len()
    }

    /// All that an argument of this kind may name.
    pub fn candidates(&self, kind: Kind) -> Vec<Candidate> {
        let recipes = |is_wanted: fn(&RecipeName) -> bool| -> Vec<Candidate> {
            let recipes = self.names().recipes.iter();
            let recipes = recipes.filter(|recipe| is_wanted(recipe) && self.is_new(&recipe.name));
            recipes
                .map(|recipe| candidate(&recipe.name, recipe.description.as_deref(), "recipe"))
                .collect()
        };
        match kind {
            Kind::Environment => self.environments(),
            Kind::Recipe => recipes(|_| true),
            Kind::ContainerRecipe => recipes(|recipe| recipe.has_container),
            Kind::CommandRecipe => recipes(|recipe| !recipe.has_container),
            Kind::Accessory => recipes(|recipe| recipe.is_accessory),
            Kind::Host => self.hosts(),
            Kind::HostOrGroup => [self.groups(), self.hosts()].concat(),
            Kind::Var => self.vars(),
            Kind::Release => self.releases(),
            Kind::Key => keys(),
            Kind::Secret => self.secrets(),
        }
    }

    fn environments(&self) -> Vec<Candidate> {
        let environments = self.project.iter().flat_map(Project::environments);
        environments
            .map(|name| candidate(&name, None, "environment"))
            .collect()
    }

    fn hosts(&self) -> Vec<Candidate> {
        let hosts = self.names().hosts.iter();
        hosts
            .map(|(name, address)| candidate(name, Some(address), "host"))
            .collect()
    }

    fn groups(&self) -> Vec<Candidate> {
        let groups = self.names().groups.iter();
        groups
            .map(|(name, size)| {
                let about = format!("group of {}", text::count(*size, "host"));
                candidate(name, Some(&about), "")
            })
            .collect()
    }

    fn vars(&self) -> Vec<Candidate> {
        let vars = self.names().vars.iter();
        vars.map(|(name, value)| {
            let value = value.as_ref().map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            candidate(&format!("{name}="), value.as_deref(), "")
        })
        .collect()
    }

    fn releases(&self) -> Vec<Candidate> {
        let (Some(project), Some(environment)) = (&self.project, self.environment()) else {
            return Vec::new();
        };
        let releases = log_file::releases(&project.root, &environment).into_iter();
        releases
            .map(|(number, began)| {
                let began = began.map(|began| began.strftime("%Y-%m-%d %H:%M UTC").to_string());
                candidate(&number.to_string(), began.as_deref(), "")
            })
            .filter(|release| self.is_new(&release.value))
            .collect()
    }

    fn secrets(&self) -> Vec<Candidate> {
        let secrets = self.project.iter();
        secrets
            .flat_map(|project| sealed::names(&project.root).unwrap_or_default())
            .map(|name| candidate(&name, None, ""))
            .collect()
    }

    /// The environment that the line is about.
    fn environment(&self) -> Option<Name> {
        self.named_environment().or_else(|| {
            let project = self.project.as_ref()?;
            model::default_environment(project).ok()
        })
    }

    fn named_environment(&self) -> Option<Name> {
        let first = self.line.positionals.first()?;
        let environments = self.project.as_ref()?.environments();
        environments.into_iter().find(|name| **name == **first)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let read = |project| Some(model::names(project, &self.environment()?));
            self.project.as_ref().and_then(read).unwrap_or_default()
        })
    }

    /// Whether the line does not have the word yet.
    fn is_new(&self, word: &str) -> bool {
        !self.line.positionals.iter().any(|typed| typed == word)
    }
}

fn keys() -> Vec<Candidate> {
    let keys = explain::all().into_iter();
    keys.map(|key| candidate(&key.path, Some(&key.meaning), ""))
        .collect()
}

/// A candidate, and what is known of it or else what it is.
fn candidate(value: &str, about: Option<&str>, what: &str) -> Candidate {
    Candidate {
        value: value.to_owned(),
        about: about.unwrap_or(what).to_owned(),
    }
}
