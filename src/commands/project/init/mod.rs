//! `shipit init`.

mod answers;
mod arguments;
mod files;
mod questions;

use std::path::Path;

use clap::{Args, ValueEnum};

use self::{
    answers::{Answers, Typed},
    arguments::Pair,
};
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    model::Name,
    scaffold,
    terminal::{self, Terminal},
};

/// Begin a project: write an inventory and a recipe for each service
#[derive(Debug, Args)]
#[command(after_help = "\
It asks for what is missing; without a terminal that is an error. No file that is there is changed, but for a line
added to .gitignore.

Examples:
  shipit init
  shipit init --host web-1=10.0.0.11 --host web-2=10.0.0.12 --user deploy --recipe web=nginx:1.27 --publish web=8080:80
  shipit init --stack consul --host host-1=10.0.0.11 --host host-2=10.0.0.12 --host host-3=10.0.0.13 --user deploy")]
pub struct Init {
    /// The environment
    #[arg(long, value_name = "ENV", default_value = "staging")]
    pub environment: Name,
    /// A host; may be repeated
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = arguments::pair)]
    pub host: Vec<Pair>,
    /// The account to log in as
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// A recipe of one container; may be repeated
    #[arg(long, value_name = "NAME=IMAGE", value_parser = arguments::recipe)]
    pub recipe: Vec<(Name, String)>,
    /// A port that a recipe publishes, as docker writes it; may be repeated
    #[arg(long, value_name = "RECIPE=PORT", value_parser = arguments::publish)]
    pub publish: Vec<(Name, String)>,
    /// Recipes that belong together: `consul` has Consul, Registrator, a balancer and an app
    #[arg(long, value_name = "STACK", hide_possible_values = true, conflicts_with_all = ["recipe", "publish"])]
    pub stack: Option<Stack>,
}

// The values have no doc comments: they would become help text.

/// `--stack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stack {
    Consul,
}

impl OfflineCommand for Init {
    const NAME: &'static str = "init";
    const NEEDS: Needs = Needs {
        changes: "files that are not there yet",
        ..Needs::NO_HOST
    };

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let root = global.directory.as_deref().unwrap_or(Path::new("."));
        let terminal = Terminal::on_stderr(global.can_ask());
        let typed = Typed {
            hosts: self.host,
            user: self.user,
            recipes: self.recipe,
            publish: self.publish,
        };
        let environment = self.environment.clone();
        let answers = Answers::new(self.environment, typed, self.stack.is_some())?;
        let answers = answers.complete(&terminal)?;
        let draft = match self.stack {
            Some(Stack::Consul) => {
                scaffold::consul(&answers.environment, &answers.hosts, &answers.user)
            }
            None => scaffold::fresh(&answers),
        };
        scaffold::check(&draft, root)?;
        let written = files::write(root, draft.files())?;
        if !global.quiet {
            terminal::print(&files::report(&written, &environment));
        }
        Ok(Outcome::Done)
    }
}
