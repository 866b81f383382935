//! `shipit unlock`.

use clap::Args;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::{invocation::Invocation, scope::lock_host},
    },
    event::{EventKind, Outcome},
    hosts::{HostFailure, Run, Stop},
    model::Name,
    plan::Scope,
    run::Context,
    state,
};

/// Remove the lock that `shipit lock` placed
#[derive(Debug, Args)]
#[command(after_help = "\
It removes what `shipit lock` left; a running deploy keeps its own lock.

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
        context
            .interruptible(&super::lock::where_to_look(context), taken)
            .await
    }
}

async fn take_away(context: &Context<'_>, scope: &Scope) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&context.hosts_of(scope)).await?;
    let state = state::open(context.environment, &fleet);
    let cannot = |(host, error): HostFailure| {
        let message = format!("cannot unlock `{environment}`");
        Stop::on_host(Outcome::NotReady, message, &host, &error)
    };
    let lock = state.lasting_lock().await.map_err(cannot)?;
    let (message, outcome) = match lock {
        None => (
            format!("`{environment}` is not locked"),
            Outcome::NothingToDo,
        ),
        Some(lock) => {
            state.release_lasting_lock().await.map_err(cannot)?;
            (
                format!("removed the lock of {}: {}", lock.by, lock.message),
                Outcome::Done,
            )
        }
    };
    context.events.send(EventKind::Note { message });
    fleet.close().await;
    Ok(outcome)
}
