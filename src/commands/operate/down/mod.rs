//! `shipit down`.

mod accessories;
mod leftovers;
mod needed;
pub mod removal;

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::{Kind, Wait},
        command::{HostCommand, Lock, Needs},
        on_hosts::{consul, invocation::Invocation},
    },
    docker::Container,
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
It asks first, and about each accessory once more. Containers that shipit did not start are left alone.
A preview goes with its volumes and its accessories.

Examples:
  shipit down staging
  shipit down pr-42 --yes
  shipit down staging --yes --accessory db")]
pub struct Down {
    /// The environment; must be named
    #[arg(value_name = "ENV", add = Kind::Environment)]
    pub environment: Name,
    #[command(flatten)]
    pub wait: Wait,
    /// Do not ask; accessories stay unless they are named
    #[arg(long)]
    pub yes: bool,
    /// Also remove this accessory without asking; may be repeated
    #[arg(long, value_name = "RECIPE", add = Kind::Accessory)]
    pub accessory: Vec<Name>,
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
        accessories::check_names(invocation, &self.accessory)?;
        Ok(Scope::default())
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let asking = context.with_consul(consul::access(context).await?);
        let fleet = asking
            .connect_to(&context.hosts_of(&scope), |_| true)
            .await?;
        preflight::check(&fleet, context.environment, context.events).await?;
        let lock = lock::take(context, &fleet, Self::NAME).await?;
        needed::refuse_while_there_are_previews(context, &fleet).await?;
        let observed = observe(
            &fleet,
            context.environment,
            Terms::default(),
            context.events,
        )
        .await?;
        let accessories = accessories::there(context.environment, &observed);
        let question = question(context, &fleet, &observed, &accessories);
        if question.is_none() && accessories.is_empty() {
            fleet.close().await;
            return Ok(Outcome::NothingToDo);
        }
        let state = "nothing was removed";
        if let Some(question) = question
            && !self.yes
            && !invocation.confirm(question, state).await?
        {
            fleet.close().await;
            let message = state.to_owned();
            context.events.send(EventKind::Note { message });
            return Ok(Outcome::NothingToDo);
        }
        let stay = accessories::stay(invocation, &accessories, &self.accessory, !self.yes).await?;
        context.events.send(EventKind::Phase {
            phase: Phase::Deploy,
        });
        let failures = removal::remove_everything(context, &fleet, &observed, &stay).await?;
        drop(lock);
        removal::forget_lock(context, &fleet, &failures).await;
        show_hosts(context, &fleet, &observed, &stay, &failures);
        fleet.close().await;
        outcome(context, &failures)
    }
}

/// What is to be agreed to beside the accessories; `None` when there is nothing to remove.
fn question(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    accessories: &[&Name],
) -> Option<String> {
    let hosts = observed.facts.hosts.values();
    let containers = hosts.flat_map(|facts| &facts.containers);
    let is_other = |container: &&Container| {
        let identity = container.identity();
        !identity.is_some_and(|it| accessories.iter().any(|name| ***name == *it.recipe))
    };
    let containers = containers.filter(is_other).count();
    let releases = observed.history.releases().len();
    if containers == 0 && (releases == 0 || !accessories.is_empty()) {
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

fn show_hosts(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    stay: &[&Name],
    failures: &[HostFailure],
) {
    for reached in fleet.hosts() {
        let facts = observed.facts.hosts.get(reached.name());
        let has = |name: &&&Name| facts.is_some_and(|facts| !facts.of_recipe(name).is_empty());
        let left: Vec<_> = stay.iter().filter(has).collect();
        let failed = failures.iter().any(|(host, _)| host == reached.name());
        let row = if failed {
            row(reached.name(), "needs a hand", Severity::Bad)
        } else if left.is_empty() {
            row(reached.name(), "empty", Severity::Good)
        } else {
            let state = format!("{} left there", text::list(left));
            row(reached.name(), &state, Severity::Notable)
        };
        context.events.send(EventKind::HostState { row });
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
