//! `shipit stop`.

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::{Limit, Wait},
        command::{EVERY_EXIT_CODE, HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope_of_containers},
    },
    deploy::{self, DeployRequest, Goal, Trust},
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
    rollout::driver::Promotion,
};

/// Stop recipes, and keep their containers
#[derive(Debug, Args)]
#[command(after_help = "\
Takes them out of traffic and drains them first, as a deploy does. They stay stopped, also when a host reboots, until
`shipit start` or the next deploy of the recipe; `shipit status` says who stopped them.

Examples:
  shipit stop staging flask-nanoservice
  shipit stop staging flask-nanoservice --limit host-1")]
pub struct Stop {
    /// The environment; must be named
    #[arg(value_name = "ENV")]
    pub environment: Name,
    /// The recipes
    #[arg(value_name = "RECIPE", required = true)]
    pub recipes: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Stop {
    const NAME: &'static str = "stop";
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
            goal: Goal::Stop,
            dry_run: self.dry_run,
            promotion: Promotion::Granted,
            trust: Trust::Nobody,
        };
        deploy::deploy(&invocation.context, request).await
    }
}
