//! `shipit lock`.

use clap::Args;
use jiff::Timestamp;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{self, HostCommand, Needs},
        on_hosts::{invocation::Invocation, scope::lock_host},
    },
    event::{EventKind, Outcome},
    hosts::{HostFailure, Run, Stop},
    model::Name,
    plan::Scope,
    run::Context,
    state::{self, LastingLock},
};

/// Keep everyone from deploying until `shipit unlock`
#[derive(Debug, Args)]
#[command(after_help = "\
A deploy takes a lock of its own and releases it however it ends. This lock stays until you remove it.

Example:
  shipit lock production -m 'no deploys before the sale ends'")]
pub struct Lock {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The reason, shown to everyone who tries to deploy
    #[arg(short, long, value_name = "TEXT")]
    pub message: String,
}

impl HostCommand for Lock {
    const NAME: &'static str = "lock";
    const NEEDS: Needs = Needs {
        contacts: "the first host",
        lock: command::Lock::Never,
        changes: "one volume there",
        log: false,
        exit_codes: &[0, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        Ok(lock_host(invocation))
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let placed = place(context, &scope, self.message);
        context.interruptible(&where_to_look(context), placed).await
    }
}

/// What is known after an interrupt: docker goes on with what it was asked for.
pub fn where_to_look(context: &Context<'_>) -> String {
    let name = &context.environment.name;
    format!("`shipit status {name}` says whether it is locked")
}

async fn place(context: &Context<'_>, scope: &Scope, message: String) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&context.hosts_of(scope)).await?;
    let state = state::open(context.environment, &fleet);
    let cannot = |(host, error): HostFailure| {
        let message = format!("cannot lock `{environment}`");
        Stop::on_host(Outcome::NotReady, message, &host, &error)
    };
    if let Some(lock) = state.lasting_lock().await.map_err(cannot)? {
        return Err(Stop::new(
            Outcome::Locked,
            format!(
                "`{environment}` is locked already by {}: {}",
                lock.by, lock.message
            ),
        )
        .hint(format!("shipit unlock {environment}")));
    }
    let lock = LastingLock {
        message,
        by: context.by.clone(),
        at: Timestamp::now(),
    };
    state.place_lasting_lock(&lock).await.map_err(cannot)?;
    let message =
        format!("`{environment}` is locked; `shipit unlock {environment}` removes the lock");
    context.events.send(EventKind::Note { message });
    fleet.close().await;
    Ok(Outcome::Done)
}
