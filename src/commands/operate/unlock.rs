//! `shipit unlock`.

use clap::Args;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::{invocation::Invocation, scope::lock_host},
    },
    event::{EventKind, Outcome},
    hosts::{Run, Stop},
    model::Name,
    plan::Scope,
    run::Context,
    state::lasting_lock::{read_hold, release_hold},
};

/// Take such a lock away
#[derive(Debug, Args)]
#[command(after_help = "\
It takes away what `shipit lock` left; a deploy that runs keeps its own lock.

Example:
  shipit unlock production")]
pub struct Unlock {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
}

impl HostCommand for Unlock {
    const NAME: &'static str = "unlock";
    const NEEDS: Needs = super::lock::Lock::NEEDS;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        Ok(lock_host(invocation))
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let taken = take_away(context, &scope);
        context.interruptible("nothing was changed", taken).await
    }
}

async fn take_away(context: &Context<'_>, scope: &Scope) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&context.hosts_of(scope)).await?;
    let Some(reached) = fleet.hosts().first() else {
        return Ok(Outcome::NothingToDo);
    };
    let cannot = |error| {
        Stop::on_host(
            Outcome::NotReady,
            format!("cannot unlock `{environment}`"),
            reached.name(),
            &error,
        )
    };
    let hold = read_hold(reached, environment).await.map_err(cannot)?;
    let (message, outcome) = match hold {
        None => (
            format!("`{environment}` is not locked"),
            Outcome::NothingToDo,
        ),
        Some(hold) => {
            release_hold(reached, environment).await.map_err(cannot)?;
            (
                format!("took away the lock of {}: {}", hold.by, hold.message),
                Outcome::Done,
            )
        }
    };
    context.events.send(EventKind::Note { message });
    fleet.close().await;
    Ok(outcome)
}
