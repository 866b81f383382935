//! `shipit check`.

mod confirmed;
mod findings;
mod fix;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use clap::Args;

use self::{
    confirmed::unconfirmed,
    findings::{Finding, find, wrong_lists},
};
use crate::{
    balancers::BackendLists,
    commands::{
        arguments::{DefaultEnvironment, value},
        command::{HostCommand, Lock, Needs},
        on_hosts::{consul, invocation::Invocation, routes},
    },
    event::{EventKind, HostRow, Outcome, Severity},
    facts::backends::in_service,
    hosts::{self, Fleet, Reached, Run, Stop, preflight},
    model::Name,
    observe::{Observed, observe},
    plan::Scope,
    release::Terms,
    run::Context,
    state::lock,
    text,
};

/// How long old workers of a balancer may still answer after it has read its list.
const OLD_WORKERS: Duration = Duration::from_secs(1);

/// Compare recipes, Docker, Consul and balancers, and say what does not match
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit check staging
  shipit check staging --fix")]
pub struct Check {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Also deregister Consul services whose container is gone, and tell balancers what they should route to
    #[arg(long)]
    pub fix: bool,
    /// With `--fix`, wait so long for the lock while another run has it [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = value::duration, requires = "fix")]
    pub wait: Option<Duration>,
}

impl HostCommand for Check {
    const NAME: &'static str = "check";
    const NEEDS: Needs = Needs {
        contacts: "all hosts",
        lock: Lock::With("--fix"),
        changes: "with `--fix`, Consul's services and what balancers route to",
        log: false,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn lock_wait(&self) -> Duration {
        self.wait.unwrap_or_default()
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let checked = check(context, &scope, self.fix);
        context
            .interruptible("run it again to see what is left", checked)
            .await
    }
}

async fn check(context: &Context<'_>, scope: &Scope, fix: bool) -> Run<Outcome> {
    let asking = context.with_consul(consul::access(context).await?);
    let fleet = asking
        .connect_to(&context.hosts_of(scope), |_| true)
        .await?;
    preflight::check(&fleet, context.environment, context.events).await?;
    // What a deploy is just starting must not look like what is gone.
    let lock = if fix {
        Some(lock::take(context, &fleet, Check::NAME).await?)
    } else {
        None
    };
    let observed = observe(
        &fleet,
        context.environment,
        Terms::default(),
        context.events,
    )
    .await?;
    if observed.is_before_the_first_deploy() {
        show_every_host_as(context, &fleet, "ready; nothing is deployed yet");
        fleet.close().await;
        return Ok(Outcome::Done);
    }
    let unconfirmed = unconfirmed(context.environment, &observed);
    let active = in_service(context.environment, &observed.facts, &unconfirmed);
    let lists = BackendLists::new(active.clone());
    let lists = fix.then_some(&lists);
    let (mut left, mut fixed) = (0, 0);
    // What fails on one host keeps nobody from seeing the others.
    let mut failed = None;
    let mut wrong = BTreeSet::new();
    // A list that is written now is what the balancers are asked about next.
    for reached in fleet.hosts() {
        for finding in wrong_lists(context.environment, reached, &observed, &active) {
            wrong.insert(reached.name());
            let mended = settle(context, reached, finding, lists, &mut failed).await;
            (left, fixed) = counted(mended, left, fixed);
        }
    }
    if fixed > 0 {
        tokio::time::sleep(OLD_WORKERS).await;
    }
    let routes = routes::of_balancers(context.environment, &fleet, &observed.facts).await;
    let found = fleet
        .each(|reached| find(context.environment, reached, &observed, &routes))
        .await;
    for (reached, findings) in found {
        let findings = match findings {
            Ok(findings) => findings,
            Err(error) => {
                let message = format!("cannot check `{}`", reached.name());
                let stop = Stop::on_host(Outcome::NotReady, message, reached.name(), &error);
                let row = hosts::row(reached.name(), "cannot be checked", Severity::Bad);
                context.events.send(EventKind::HostState { row });
                failed.get_or_insert(stop);
                continue;
            }
        };
        show_stopped(context, reached, &observed);
        if findings.is_empty() && !wrong.contains(reached.name()) {
            let row = hosts::row(reached.name(), "as it should be", Severity::Good);
            context.events.send(EventKind::HostState { row });
        }
        for finding in findings {
            let mended = settle(context, reached, finding, lists, &mut failed).await;
            (left, fixed) = counted(mended, left, fixed);
        }
    }
    drop(lock);
    fleet.close().await;
    if let Some(stop) = failed {
        return Err(stop);
    }
    outcome(&context.environment.name, left, fixed)
}

fn counted(mended: bool, left: usize, fixed: usize) -> (usize, usize) {
    (left + usize::from(!mended), fixed + usize::from(mended))
}

/// Shows a finding; with `lists`, mends it where that can be done. Returns whether it is mended; the first failure of that
/// is kept in `failed`.
async fn settle(
    context: &Context<'_>,
    reached: &Reached,
    finding: Finding,
    lists: Option<&BackendLists>,
    failed: &mut Option<Box<Stop>>,
) -> bool {
    let mut row = HostRow {
        host: reached.name().to_string(),
        recipe: Some(finding.recipe),
        release: None,
        state: finding.message,
        detail: None,
        severity: Severity::Bad,
    };
    let mended = match (&finding.fix, lists) {
        (Some(fix), Some(lists)) => fix.apply(reached, lists).await.map(Some),
        _ => Ok(None),
    };
    let mended = mended.unwrap_or_else(|stop| {
        failed.get_or_insert(stop);
        None
    });
    if let Some(mended) = mended {
        row.detail = Some(mended.to_owned());
        row.severity = Severity::Notable;
    }
    context.events.send(EventKind::HostState { row });
    mended.is_some()
}

/// A row for each recipe that somebody has stopped: that is no mistake.
fn show_stopped(context: &Context<'_>, reached: &Reached, observed: &Observed) {
    let host = reached.name();
    for recipe in &context.environment.recipes {
        let stopped = observed.history.stopped(host, &recipe.name);
        let serves = !observed.facts.serving(host, &recipe.name).is_empty();
        if let Some(stopped) = stopped.filter(|_| !serves) {
            let mut row = hosts::row(host, stopped.to_string(), Severity::Notable);
            row.recipe = Some(recipe.name.to_string());
            context.events.send(EventKind::HostState { row });
        }
    }
}

fn show_every_host_as(context: &Context<'_>, fleet: &Fleet, state: &str) {
    for reached in fleet.hosts() {
        let row = hosts::row(reached.name(), state, Severity::Good);
        context.events.send(EventKind::HostState { row });
    }
}

fn outcome(environment: &Name, left: usize, fixed: usize) -> Run<Outcome> {
    if left > 0 {
        let message = format!("{} found", text::count(left, "mistake"));
        return Err(Stop::new(Outcome::Failed, message).hint(format!(
            "`shipit deploy {environment}` brings up what is missing; `shipit check {environment} --fix` deregisters what is gone and tells balancers what they should route to"
        )));
    }
    Ok(if fixed > 0 {
        Outcome::Done
    } else {
        Outcome::NothingToDo
    })
}
