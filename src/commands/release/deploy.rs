//! `shipit deploy`.

use std::{sync::Arc, time::Duration};

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit, Message, Variables, Wait},
        command::{EVERY_EXIT_CODE, HostCommand, Lock, Needs, Words},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    deploy::{self, DeployRequest, Goal, Trust},
    event::Outcome,
    hosts::{Run, Stop},
    model::{Name, Overrides},
    plan::Scope,
    rollout::driver::Promotion,
    terminal::Terminal,
};

/// Bring an environment up to date
#[derive(Debug, Args)]
#[command(after_help = "\
Changes nothing until every host is checked and has its images. Leaves alone what is already up to date.

Examples:
  shipit deploy staging
  shipit deploy staging flask-nanoservice --set version=1.3
  shipit deploy flask-nanoservice             # of the default environment
  shipit deploy production --limit host-1,balancers --dry-run
  shipit deploy production --promote --output json
  shipit deploy production -m 'the new cart'")]
pub struct Deploy {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only these recipes; the recipes they require must be running [default: all]
    #[arg(value_name = "RECIPE", add = Kind::Recipe)]
    pub recipes: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub message: Message,
    /// Replace the containers of the named recipes even where nothing has changed
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Roll out to the others after healthy canaries without asking
    #[arg(long)]
    pub promote: bool,
}

impl HostCommand for Deploy {
    const MAKES_PREVIEWS: bool = true;
    const NAME: &'static str = "deploy";
    const NEEDS: Needs = Needs {
        contacts: "hosts of the scope, the first host, balancers; the next host after each and Consul's servers, if they answer",
        lock: Lock::Always,
        changes: "containers, images, records",
        log: true,
        exit_codes: EVERY_EXIT_CODE,
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn words(&mut self) -> Option<Words<'_>> {
        Some(Words {
            environment: &mut self.environment.environment,
            recipes: &mut self.recipes,
        })
    }

    fn overrides(&self) -> Overrides {
        self.variables.overrides()
    }

    fn message(&self) -> Option<&str> {
        self.message.message.as_deref()
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        // The only word may be a recipe that stands in the environment's place, so this is known only here.
        if self.force && self.recipes.is_empty() {
            let stop = Stop::new(Outcome::Usage, "`--force` replaces recipes that are named");
            let environment = &invocation.context.environment.name;
            return Err(stop.hint(format!("shipit deploy {environment} RECIPE --force")));
        }
        scope(invocation, &self.recipes, &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let request = DeployRequest {
            scope,
            goal: Goal::Files { forced: self.force },
            dry_run: self.dry_run,
            promotion: promotion(self.promote, &invocation.terminal),
            trust: Trust::Nobody,
        };
        deploy::deploy(&invocation.context, request).await
    }
}

/// How a question whether the others may follow healthy canaries is answered.
fn promotion(granted: bool, terminal: &Terminal) -> Promotion {
    if granted {
        return Promotion::Granted;
    }
    if !terminal.can_ask() {
        return Promotion::Nobody;
    }
    let terminal = terminal.clone();
    Promotion::Ask(Arc::new(move |question| terminal.confirm(&question)))
}
