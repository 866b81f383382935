//! `shipit init`.

mod answers;
mod arguments;
mod files;
mod from;
mod questions;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};

use self::{
    answers::{Answers, Typed},
    arguments::Pair,
    from::From,
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
  shipit init --from compose.yml --host web-1=10.0.0.11 --user deploy
  shipit init --from config/deploy.yml
  shipit init --stack nginx --host app-1=10.0.0.11 --host app-2=10.0.0.12 --host lb=10.0.0.13 --user deploy
  shipit init --stack consul --host host-1=10.0.0.11 --host host-2=10.0.0.12 --host host-3=10.0.0.13 --user deploy")]
pub struct Init {
    /// The environment [default: staging; of Kamal its destinations, or production]
    #[arg(long, value_name = "ENV")]
    pub environment: Option<Name>,
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
    /// A balancer and an app behind it: `nginx`, `haproxy`, `caddy`; `consul` with Consul and Registrator
    #[arg(long, value_name = "STACK", hide_possible_values = true, conflicts_with_all = ["recipe", "publish"])]
    pub stack: Option<Stack>,
    /// A Compose file or Kamal's config/deploy.yml; what has no counterpart becomes a comment
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["recipe", "publish", "stack"]
    )]
    pub from: Option<PathBuf>,
}

// The values have no doc comments: they would become help text.

/// `--stack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stack {
    Consul,
    Nginx,
    Haproxy,
    Caddy,
}

impl Stack {
    const fn scaffold(self) -> scaffold::Stack {
        match self {
            Self::Consul => scaffold::Stack::Consul,
            Self::Nginx => scaffold::Stack::Nginx,
            Self::Haproxy => scaffold::Stack::Haproxy,
            Self::Caddy => scaffold::Stack::Caddy,
        }
    }
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
        let from = self.from.as_deref().map(From::read).transpose()?;
        let brings_recipes = from.is_some() || self.stack.is_some();
        let answers = Answers::new(self.environment.clone(), typed, brings_recipes)?;
        let draft = match (from, self.stack) {
            (Some(from), _) => from.draft(self.environment, answers, &terminal, root)?,
            (None, Some(stack)) => {
                let answers = answers.complete(&terminal)?;
                scaffold::stack(
                    stack.scaffold(),
                    &answers.environment,
                    &answers.hosts,
                    &answers.user,
                )
            }
            (None, None) => scaffold::fresh(&answers.complete(&terminal)?),
        };
        scaffold::check(&draft, root)
            .map_err(|problems| scaffold::unwritten(&problems, &draft, "what was typed"))?;
        let environments = draft.inventories.iter().map(|(name, _)| name);
        let environments: Vec<_> = environments.cloned().collect();
        let written = files::write(root, draft.files())?;
        if !global.quiet {
            terminal::print(&files::report(&written, &environments));
        }
        Ok(Outcome::Done)
    }
}
