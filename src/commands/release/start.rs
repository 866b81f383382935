//! `shipit start`.

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

/// Start recipes that were stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Starts the containers that were kept, or makes those that are gone, as they were. They serve once they are ready and
the balancers route to them. What runs already is left alone.

Examples:
  shipit start staging flask-nanoservice
  shipit start staging flask-nanoservice --limit host-1")]
pub struct Start {
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

impl HostCommand for Start {
    const NAME: &'static str = "start";
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
            goal: Goal::Start,
            dry_run: self.dry_run,
            promotion: Promotion::Granted,
            trust: trust(self.trust_records, &invocation.terminal),
        };
        deploy::deploy(&invocation.context, request).await
    }
}
