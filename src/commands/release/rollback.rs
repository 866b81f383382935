//! `shipit rollback`.

use std::{sync::Arc, time::Duration};

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit, Message, Wait, value},
        command::{EVERY_EXIT_CODE, HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    deploy::{self, DeployRequest, Goal, Trust},
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
    release::Number,
    rollout::driver::Promotion,
    terminal::Terminal,
};

/// Return to an earlier release
#[derive(Debug, Args)]
#[command(after_help = "\
As careful as a deploy, and recorded as a new release, so a second rollback undoes the first. Starts the
containers that were kept, so it needs no registry.

Examples:
  shipit rollback staging
  shipit rollback staging --to r41 -m 'the cart loses items'")]
pub struct Rollback {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The release, `r41` or `41` [default: the newest earlier one that succeeded]
    #[arg(long, value_name = "rN", value_parser = value::release, add = Kind::Release)]
    pub to: Option<u64>,
    #[command(flatten)]
    pub limit: Limit,
    /// Start what the records say without asking, also where today's files give containers less of the host
    #[arg(long)]
    pub trust_records: bool,
    #[command(flatten)]
    pub message: Message,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Rollback {
    const NAME: &'static str = "rollback";
    const NEEDS: Needs = Needs {
        contacts: "as `deploy`",
        lock: Lock::Always,
        changes: "containers, images, records",
        log: true,
        exit_codes: EVERY_EXIT_CODE,
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
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
        scope(invocation, &[], &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let request = DeployRequest {
            scope,
            goal: Goal::Release(self.to.map(Number)),
            dry_run: self.dry_run,
            // The release was promoted when it was deployed.
            promotion: Promotion::Granted,
            trust: trust(self.trust_records, &invocation.terminal),
        };
        deploy::deploy(&invocation.context, request).await
    }
}

/// How it is answered whether records may start what today's files do not.
pub(super) fn trust(granted: bool, terminal: &Terminal) -> Trust {
    if granted {
        return Trust::Granted;
    }
    if !terminal.can_ask() {
        return Trust::Nobody;
    }
    let terminal = terminal.clone();
    Trust::Ask(Arc::new(move |question| terminal.confirm(&question)))
}
