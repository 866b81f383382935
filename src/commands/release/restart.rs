//! `shipit restart`.

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

/// Replace the containers of recipes by new ones of the same version
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
As careful as a deploy: new containers are ready and routed to before old ones are drained and stopped. They are
made from what runs now, whatever the files say by now, so a plan finds no change because of it.

Examples:
  shipit restart staging flask-nanoservice
  shipit restart staging flask-nanoservice --limit host-1
  shipit restart flask-nanoservice             # of the default environment"
)]
pub struct Restart {
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

impl HostCommand for Restart {
    const NAME: &'static str = "restart";
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
        again(invocation, scope, Goal::Restart, self.dry_run, trust).await
    }
}
