//! `shipit setup`.

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Limit},
        command::{HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{self, Fleet, Run, Stop, preflight},
    model::Name,
    plan::Scope,
    run::Context,
    setup::{self, HostPlan},
    text,
};

/// Make fresh hosts ready: install and start Docker, and let the login account use it
#[derive(Debug, Args)]
#[command(after_help = "\
It shows what it would do on each host and asks. Docker comes from the distribution's own packages. A host that is ready
is left alone.

Examples:
  shipit setup staging
  shipit setup staging --limit web-3 --yes
  shipit setup staging --dry-run")]
pub struct Setup {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    #[command(flatten)]
    pub limit: Limit,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only show what it would do
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Setup {
    const HAS_PREVIEWS: bool = false;
    const NAME: &'static str = "setup";
    const NEEDS: Needs = Needs {
        contacts: "all hosts, or `--limit`",
        lock: Lock::Never,
        changes: "packages, services and the group `docker`",
        log: true,
        exit_codes: &[0, 1, 2, 3, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        if !self.yes && !self.dry_run && !invocation.terminal.can_ask() {
            let message = "cannot ask here whether to set the hosts up";
            let hint = "`--yes` sets them up without asking, `--dry-run` shows what that would do";
            return Err(Stop::new(Outcome::Usage, message).hint(hint));
        }
        scope(invocation, &[], &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let looked = look(context, &scope);
        let (fleet, plans) = context.interruptible("nothing was changed", looked).await?;
        let to_do = plans.iter().filter(|plan| !plan.steps.is_empty()).count();
        if self.dry_run {
            fleet.close().await;
            return Ok(Outcome::Done);
        }
        if to_do > 0 && !self.yes {
            let question = format!("Set up {}?", text::count(to_do, "host"));
            let state = "nothing was changed";
            if !invocation.confirm(question, state).await? {
                fleet.close().await;
                let message = state.to_owned();
                context.events.send(EventKind::Note { message });
                return Ok(Outcome::NothingToDo);
            }
        }
        let working = set_up(context, &scope, fleet, &plans, to_do > 0);
        let state = "a step may still go on there; run it again to see what is left";
        context.interruptible(state, working).await?;
        Ok(if to_do == 0 {
            Outcome::NothingToDo
        } else {
            Outcome::Done
        })
    }
}

/// Connects, looks, and shows what was found.
async fn look(context: &Context<'_>, scope: &Scope) -> Run<(Fleet, Vec<HostPlan>)> {
    let fleet = context.connect(&context.hosts_of(scope)).await?;
    let plans = setup::look(&fleet).await?;
    let lines = plans.iter().flat_map(HostPlan::lines).collect();
    context.events.send(EventKind::Result { lines });
    setup::warn_of_clocks(&plans, context.events);
    Ok((fleet, plans))
}

/// Does what is to be done, and sees on new connections that every host can be deployed to: groups are those of the
/// login.
async fn set_up(
    context: &Context<'_>,
    scope: &Scope,
    mut fleet: Fleet,
    plans: &[HostPlan],
    changes: bool,
) -> Run<()> {
    if changes {
        context.events.send(EventKind::Phase {
            phase: Phase::Setup,
        });
        setup::perform(&fleet, plans, context.events).await?;
        fleet.close().await;
        fleet = context.connect(&context.hosts_of(scope)).await?;
    }
    preflight::check_after_setup(&fleet, context.environment, context.events).await?;
    for reached in fleet.hosts() {
        let row = hosts::row(reached.name(), "ready", Severity::Good);
        context.events.send(EventKind::HostState { row });
    }
    fleet.close().await;
    Ok(())
}
