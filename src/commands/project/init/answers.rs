//! What the command line says, and what is missing of it.

use super::{arguments::Pair, questions};
use crate::{
    diagnostic::{Problem, Problems},
    model::{InvalidName, Name},
    scaffold::{self, Host, Recipe},
    terminal::Terminal,
    text,
};

/// The environment where none is named.
const STAGING: &str = "staging";

/// A name of ours as a name.
pub fn name_of(text: &str) -> Result<Name, Problem> {
    text.parse()
        .map_err(|error: InvalidName| Problem::error(error.to_string()))
}

/// What the command line says.
#[derive(Debug, Default)]
pub struct Typed {
    /// The hosts.
    pub hosts: Vec<Pair>,
    /// The account.
    pub user: Option<String>,
    /// The recipes with their images.
    pub recipes: Vec<(Name, String)>,
    /// The recipes' ports.
    pub publish: Vec<(Name, String)>,
}

/// What was typed so far.
pub struct Answers {
    environment: Option<Name>,
    hosts: Vec<Host>,
    user: Option<String>,
    recipes: Vec<Recipe>,
    /// Whether the recipes come from elsewhere.
    brings_recipes: bool,
}

impl Answers {
    /// What the command line says.
    ///
    /// # Errors
    ///
    /// What does not fit together on it.
    pub fn new(
        environment: Option<Name>,
        typed: Typed,
        brings_recipes: bool,
    ) -> Result<Self, Problems> {
        let mut hosts: Vec<Host> = Vec::new();
        for (name, address) in typed.hosts {
            if hosts.iter().any(|known| known.name == name) {
                let hint = "give each `--host NAME=ADDRESS` a name of its own";
                let fact = format!("two hosts are called `{name}`");
                return Err(Problem::error(fact).hint(hint).into());
            }
            let groups = Vec::new();
            hosts.push(Host {
                name,
                address,
                groups,
            });
        }
        let mut recipes: Vec<Recipe> = Vec::new();
        for (name, image) in typed.recipes {
            if recipes.iter().any(|known| known.name == name) {
                return Err(Problem::error(format!("two recipes are called `{name}`")).into());
            }
            let publish = Vec::new();
            recipes.push(Recipe {
                name,
                image,
                publish,
            });
        }
        for (name, port) in typed.publish {
            let Some(recipe) = recipes.iter_mut().find(|recipe| recipe.name == name) else {
                let why = format!("`--publish {name}={port}` is about no recipe");
                let hint = format!("name its image: `--recipe {name}=IMAGE`");
                return Err(Problem::error(why).hint(hint).into());
            };
            recipe.publish.push(port);
        }
        Ok(Self {
            environment,
            hosts,
            user: typed.user.filter(|user| !user.is_empty()),
            recipes,
            brings_recipes,
        })
    }

    /// All that is needed. What is missing is asked for.
    ///
    /// # Errors
    ///
    /// What is missing, where nobody can be asked.
    pub fn complete(mut self, terminal: &Terminal) -> Result<scaffold::Answers, Problems> {
        if terminal.can_ask() {
            if self.hosts.is_empty() {
                self.hosts = questions::hosts(terminal);
            }
            if self.user.is_none() {
                self.user = questions::user(terminal);
            }
            if self.recipes.is_empty() && !self.brings_recipes {
                self.recipes = questions::recipes(terminal);
            }
        }
        self.refuse_missing()?;
        let environment = match self.environment {
            Some(name) => name,
            None => name_of(STAGING)?,
        };
        Ok(scaffold::Answers {
            environment,
            hosts: self.hosts,
            user: self.user.unwrap_or_default(),
            recipes: self.recipes,
        })
    }

    /// For a file that names its hosts.
    ///
    /// # Errors
    ///
    /// What was typed all the same.
    pub fn refuse_hosts(&self) -> Result<(), Problem> {
        if self.hosts.is_empty() && self.user.is_none() {
            return Ok(());
        }
        Err(
            Problem::error("the file names its hosts and the account there")
                .hint("leave out `--host` and `--user`; the inventory can be changed afterwards"),
        )
    }

    fn refuse_missing(&self) -> Result<(), Problem> {
        let wanted = [
            (self.hosts.is_empty(), "--host NAME=ADDRESS"),
            (self.user.is_none(), "--user USER"),
            (
                self.recipes.is_empty() && !self.brings_recipes,
                "--recipe NAME=IMAGE",
            ),
        ];
        let missing: Vec<_> = wanted
            .into_iter()
            .filter_map(|(is_missing, flag)| is_missing.then_some(flag))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let fact = format!("{} {verb} missing", text::list(&missing));
        let example = "shipit init --host web-1=10.0.0.11 --user deploy --recipe web=nginx:1.27";
        Err(Problem::error(fact).hint(format!("on a terminal it asks; else `{example}`")))
    }
}
