//! `shipit down`.

mod removal;

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::Wait,
        command::{HostCommand, Lock, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{Fleet, HostFailure, Run, Stop, preflight, row},
    model::Name,
    observe::{Observed, observe},
    plan::Scope,
    release::Terms,
    run::Context,
    state::lock,
    text,
};

/// Remove everything that shipit runs in an environment
#[derive(Debug, Args)]
#[command(after_help = "\
It asks first. Containers that shipit did not start are left alone.

Examples:
  shipit down staging
  shipit down staging --yes")]
pub struct Down {
    /// The environment; must be named
    #[arg(value_name = "ENV")]
    pub environment: Name,
    #[command(flatten)]
    pub wait: Wait,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl HostCommand for Down {
    const NAME: &'static str = "down";
    const NEEDS: Needs = Needs {
        contacts: "all hosts",
        lock: Lock::Always,
        changes: "containers, records",
        log: true,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        Some(&self.environment)
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        if !self.yes && !invocation.terminal.can_ask() {
            let message = "cannot ask here whether to remove everything";
            return Err(
                Stop::new(Outcome::Usage, message).hint("`--yes` removes it without asking")
            );
        }
        Ok(Scope::default())
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let fleet = context
            .connect_to(&context.hosts_of(&scope), |_| true)
            .await?;
        preflight::check(&fleet, context.environment, context.events).await?;
        let lock = lock::take(context, &fleet, Self::NAME).await?;
        let observed = observe(
            &fleet,
            context.environment,
            Terms::default(),
            context.events,
        )
        .await?;
        let Some(question) = question(context, &fleet, &observed) else {
            fleet.close().await;
            return Ok(Outcome::NothingToDo);
        };
        let state = "nothing was removed";
        if !self.yes && !invocation.confirm(question, state).await? {
            fleet.close().await;
            let message = state.to_owned();
            context.events.send(EventKind::Note { message });
            return Ok(Outcome::NothingToDo);
        }
        context.events.send(EventKind::Phase {
            phase: Phase::Deploy,
        });
        let failures = removal::remove_everything(context, &fleet, &observed).await?;
        drop(lock);
        show_hosts(context, &fleet, &failures);
        fleet.close().await;
        outcome(context, &failures)
    }
}

/// What is to be agreed to; `None` when there is nothing to remove.
fn question(context: &Context<'_>, fleet: &Fleet, observed: &Observed) -> Option<String> {
    let hosts = observed.facts.hosts.values();
    let containers: usize = hosts.map(|facts| facts.containers.len()).sum();
    let releases = observed.history.releases().len();
    if containers == 0 && releases == 0 {
        return None;
    }
    Some(format!(
        "Remove {} of `{}` on {}, and the records of {}?",
        text::count(containers, "container"),
        context.environment.name,
        text::count(fleet.hosts().len(), "host"),
        text::count(releases, "release"),
    ))
}

fn show_hosts(context: &Context<'_>, fleet: &Fleet, failures: &[HostFailure]) {
    for reached in fleet.hosts() {
        let failed = failures.iter().any(|(host, _)| host == reached.name());
        let (state, severity) = if failed {
            ("needs a hand", Severity::Bad)
        } else {
            ("empty", Severity::Good)
        };
        context.events.send(EventKind::HostState {
            row: row(reached.name(), state, severity),
        });
    }
}

fn outcome(context: &Context<'_>, failures: &[HostFailure]) -> Run<Outcome> {
    if failures.is_empty() {
        return Ok(Outcome::Done);
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    Err(Stop::on_hosts(
        Outcome::Failed,
        format!("not everything could be removed on {names}"),
        failures,
    )
    .hint(format!("shipit down {}", context.environment.name)))
}
