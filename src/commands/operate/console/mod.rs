//! `shipit console`.

mod attach;
mod choose;
mod one_off;
mod watch;

use clap::{ArgAction, Args};

pub use attach::attach;

use self::choose::{Chosen, choose};
use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit},
        command::{HostCommand, Lock, Needs, Words},
        on_hosts::{invocation::Invocation, scope::scope_of_containers},
    },
    docker,
    event::Outcome,
    hosts::{Run, Stop},
    model::{Host, Name},
    plan::Scope,
    terminal,
};

/// Open a console in a recipe's container
#[derive(Debug, Args)]
#[command(after_help = "\
In the newest container that runs, or with `--new` in one of its own, which is removed afterwards. The exit code is
that of the command. In a pipe it has no terminal, and reads standard input.

Examples:
  shipit console staging web
  shipit console web --limit host-2 -- ./manage shell
  shipit console staging web --new -- ./manage dbshell
  shipit console staging db -- pg_dump shop > shop.sql")]
pub struct Console {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipe; must be named
    #[arg(value_name = "RECIPE", num_args = 0..=1, action = ArgAction::Set, add = Kind::ContainerRecipe)]
    pub recipe: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
    /// Which of a host's equal containers, from 1 [default: the newest]
    #[arg(long, value_name = "NUMBER", conflicts_with = "new", value_parser = clap::value_parser!(u16).range(1..))]
    pub instance: Option<u16>,
    /// In a one-off container of the image that runs, with the recipe's env, secrets, network and volumes
    #[arg(long)]
    pub new: bool,
    /// The command, without a shell [default: sh]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl HostCommand for Console {
    const NAME: &'static str = "console";
    const NEEDS: Needs = Needs {
        contacts: "as many of the recipe's hosts as answer",
        lock: Lock::Never,
        changes: "what its command changes",
        log: true,
        exit_codes: &[0, 1, 2, 3, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn words(&mut self) -> Option<Words<'_>> {
        Some(Words {
            environment: &mut self.environment.environment,
            recipes: &mut self.recipe,
        })
    }

    fn redraws(&self) -> bool {
        true
    }

    fn hands_output_over(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        if self.recipe.len() != 1 {
            let environment = &invocation.context.environment.name;
            let stop = Stop::new(Outcome::Usage, "a console opens in one recipe's container");
            return Err(stop.hint(format!("shipit console {environment} RECIPE")));
        }
        scope_of_containers(invocation, &self.recipe, &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let hosts = context.hosts_of(&scope);
        let named = self.recipe.first();
        let recipe = named.and_then(|name| context.environment.recipe(name));
        let Some(recipe) = recipe else {
            return Ok(Outcome::NothingToDo);
        };
        let is_of_recipe = |host: &Host| recipe.hosts.contains(&host.name);
        let hosts: Vec<_> = hosts
            .into_iter()
            .filter(|host| is_of_recipe(host))
            .collect();
        let fleet = context.connect_to_any(&hosts).await?;
        let chosen = choose(context, &fleet, &recipe.name, self.instance).await?;
        let words = if self.command.is_empty() {
            vec!["sh".to_owned()]
        } else {
            self.command
        };
        let has_terminal = terminal::is_for_a_remote_command();
        let ended = if self.new {
            one_off::console(invocation, &chosen, &words, has_terminal).await
        } else {
            let Chosen { reached, container } = &chosen;
            let command = docker::exec(&container.name, &words, has_terminal);
            let what = format!("`{}` on `{}`", container.name, reached.name());
            attach(invocation, reached, &what, Some(command), has_terminal).await
        };
        fleet.close().await;
        ended
    }
}
