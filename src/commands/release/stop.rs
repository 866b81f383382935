//! `shipit stop`.

use std::time::Duration;

use clap::Args;

use super::again::{self, NamedRecipes, again};
use crate::{
    commands::{
        arguments::Wait,
        command::{HostCommand, Needs, Words},
        on_hosts::invocation::Invocation,
    },
    deploy::{Goal, Trust},
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
};

/// Stop recipes, and keep their containers
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Takes them out of traffic and drains them first, as a deploy does. They stay stopped, also when a host reboots, until
`shipit start` or the next deploy of the recipe; `shipit status` says who stopped them.

Examples:
  shipit stop staging flask-nanoservice
  shipit stop staging flask-nanoservice --limit host-1"
)]
pub struct Stop {
    #[command(flatten)]
    pub named: NamedRecipes,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Stop {
    const NAME: &'static str = "stop";
    const NEEDS: Needs = again::NEEDS;

    fn environment(&self) -> Option<&Name> {
        self.named.environment.name()
    }

    fn words(&mut self) -> Option<Words<'_>> {
        Some(self.named.words())
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        self.named.scope(invocation)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        again(invocation, scope, Goal::Stop, self.dry_run, Trust::Nobody).await
    }
}
