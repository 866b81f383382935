//! `shipit status`.

use clap::Args;
use jiff::Timestamp;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::invocation::Invocation,
    },
    docker::Container,
    event::{EventKind, HostRow, Outcome, Severity},
    facts::HostFacts,
    hosts::{Fleet, HostError, Reached, Run, SOON, within},
    model::{HostAndPort, Name, Recipe},
    observe::{Observed, observe_any},
    plan::Scope,
    release::{Number, Stopped, Terms},
    run::Context,
    state, text,
};

/// Show what runs on every host
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit status staging
  shipit status --output json")]
pub struct Status {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
}

impl HostCommand for Status {
    const NAME: &'static str = "status";
    const NEEDS: Needs = Needs::HOSTS_THAT_ANSWER;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let shown = show_status(context, &scope);
        context.interruptible("nothing was changed", shown).await?;
        Ok(Outcome::NothingToDo)
    }
}

async fn show_status(context: &Context<'_>, scope: &Scope) -> Run<()> {
    let environment = context.environment;
    let fleet = context.connect_to_any(&context.hosts_of(scope)).await?;
    let key = state::key_to_look(context).await;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let observed = observe_any(&fleet, environment, terms, context.events).await?;
    for reached in fleet.hosts() {
        let Some(facts) = observed.facts.hosts.get(reached.name()) else {
            continue;
        };
        let recipes = environment.recipes.iter();
        for recipe in recipes.filter(|recipe| recipe.has_container()) {
            let stopped = observed.history.stopped(reached.name(), &recipe.name);
            for row in rows(reached, recipe, facts, stopped) {
                context.events.send(EventKind::HostState { row });
            }
        }
    }
    show_lasting_lock(context, &fleet, &observed).await;
    fleet.close().await;
    Ok(())
}

async fn show_lasting_lock(context: &Context<'_>, fleet: &Fleet, observed: &Observed) {
    let environment = context.environment;
    let keeper = environment.lock_host();
    let lock = if observed.unread(&[keeper]).is_empty() {
        let state = state::open(environment, fleet);
        let asking = async { state.lasting_lock().await.map_err(|(_, error)| error) };
        within(SOON, asking).await
    } else {
        Err(HostError::Fact("it was not read".to_owned()))
    };
    let lock = match lock {
        Ok(Some(lock)) => lock,
        Ok(None) => return,
        Err(error) => {
            let why = text::chain(&error).join(": ");
            context.events.send(EventKind::Warning {
                host: Some(keeper.name.to_string()),
                message: format!(
                    "whether `{}` is locked is not known: {why}",
                    environment.name
                ),
                hint: None,
            });
            return;
        }
    };
    let message = format!(
        "locked by {} since {}: {}",
        lock.by,
        lock.at.strftime("%Y-%m-%d %H:%M UTC"),
        lock.message
    );
    context.events.send(EventKind::Warning {
        host: None,
        message,
        hint: Some(format!("shipit unlock {}", environment.name)),
    });
}

/// The rows of a recipe on one host: what runs, then what should and does not.
fn rows(
    reached: &Reached,
    recipe: &Recipe,
    facts: &HostFacts,
    stopped_by: Option<&Stopped>,
) -> Vec<HostRow> {
    let wanted = recipe
        .on
        .get(reached.name())
        .map_or(0, |on| usize::from(on.instances));
    let containers = facts.of_recipe(&recipe.name);
    let running: Vec<_> = containers.iter().filter(|it| it.state.running).collect();
    // The one that ended last: a newer release may have one that was taken back before.
    let stopped = containers.iter().filter(|it| !it.state.running);
    let last = stopped.max_by(|one, other| one.state.finished_at.cmp(&other.state.finished_at));
    let missing = wanted.saturating_sub(running.len());
    let running = running
        .into_iter()
        .map(|container| running_row(reached, &recipe.name, container));
    let missing =
        std::iter::repeat_with(|| missing_row(reached, &recipe.name, last.copied())).take(missing);
    let missing = missing.map(|row| match stopped_by {
        None => row,
        Some(stopped) => HostRow {
            state: stopped.to_string(),
            severity: Severity::Notable,
            ..row
        },
    });
    running.chain(missing).collect()
}

fn running_row(reached: &Reached, recipe: &Name, container: &Container) -> HostRow {
    let up = container.state.is_up();
    let since = container.state.started_at.parse::<Timestamp>().ok();
    let since = since
        .map(|at| format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    let address = &reached.host.address;
    let ports = container.ports.on_host(address);
    let address = ports
        .first()
        .map(|port| format!("{} ", HostAndPort::new(&**address, *port)))
        .unwrap_or_default();
    HostRow {
        host: reached.name().to_string(),
        recipe: Some(recipe.to_string()),
        release: release_of(container),
        state: if up {
            format!("running{since}")
        } else {
            "in a restart loop".to_owned()
        },
        detail: Some(format!("{address}{} {}", container.name, container.image)),
        severity: if up { Severity::Good } else { Severity::Bad },
    }
}

fn missing_row(reached: &Reached, recipe: &Name, stopped: Option<&Container>) -> HostRow {
    HostRow {
        host: reached.name().to_string(),
        recipe: Some(recipe.to_string()),
        release: stopped.and_then(release_of),
        state: stopped.map_or_else(
            || "not there".to_owned(),
            |container| {
                format!(
                    "{} with {}",
                    container.state.status, container.state.exit_code
                )
            },
        ),
        detail: stopped.map(|container| container.name.clone()),
        severity: Severity::Bad,
    }
}

fn release_of(container: &Container) -> Option<String> {
    container
        .identity()
        .map(|identity| Number(identity.release).to_string())
}
