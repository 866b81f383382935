//! `shipit restart`.

use std::time::Duration;

use clap::Args;

use super::rollback::trust;
use crate::{
    commands::{
        arguments::{Limit, Wait},
        command::{EVERY_EXIT_CODE, HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope_of_containers},
    },
    deploy::{self, DeployRequest, Goal},
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
    rollout::driver::Promotion,
};

/// Replace the containers of recipes by new ones of the same version
#[derive(Debug, Args)]
#[command(after_help = "\
As careful as a deploy: new containers are ready and routed to before old ones are drained and stopped. They are
made from what runs now, whatever the files say by now, so a plan finds no change because of it.

Examples:
  shipit restart staging flask-nanoservice
  shipit restart staging flask-nanoservice --limit host-1")]
pub struct Restart {
    /// The environment; must be named
    #[arg(value_name = "ENV")]
    pub environment: Name,
    /// The recipes
    #[arg(value_name = "RECIPE", required = true)]
    pub recipes: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
    /// Start what the records say without asking, also where today's files give containers less of the host
    #[arg(long)]
    pub trust_records: bool,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Restart {
    const NAME: &'static str = "restart";
    const NEEDS: Needs = Needs {
        contacts: "as `deploy`",
        lock: Lock::Always,
        changes: "containers, records",
        log: true,
        exit_codes: EVERY_EXIT_CODE,
    };

    fn environment(&self) -> Option<&Name> {
        Some(&self.environment)
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope_of_containers(invocation, &self.recipes, &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let request = DeployRequest {
            scope,
            goal: Goal::Restart,
            dry_run: self.dry_run,
            // What runs was promoted when it was deployed.
            promotion: Promotion::Granted,
            trust: trust(self.trust_records, &invocation.terminal),
        };
        deploy::deploy(&invocation.context, request).await
    }
}
