//! `shipit start`.

use std::time::Duration;

use clap::Args;

use super::{
    again::{self, NamedRecipes, again},
    rollback::trust,
};
use crate::{
    commands::{
        arguments::Wait,
        command::{HostCommand, Needs, Words},
        on_hosts::invocation::Invocation,
    },
    deploy::Goal,
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
};

/// Start recipes that were stopped
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Starts the containers that were kept, or makes those that are gone, as they were. They serve once they are ready and
the balancers route to them. What runs already is left alone.

Examples:
  shipit start staging flask-nanoservice
  shipit start staging flask-nanoservice --limit host-1"
)]
pub struct Start {
    #[command(flatten)]
    pub named: NamedRecipes,
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
        let trust = trust(self.trust_records, &invocation.terminal);
        again(invocation, scope, Goal::Start, self.dry_run, trust).await
    }
}
