//! Everything beside deploys: looking at an environment, and operating it by hand.

mod check;
mod down;
mod exec;
mod look;

pub use check::check;
pub use down::{Confirm, DownRequest, down};
pub use exec::{ExecRequest, exec, run_task};
pub use look::{LogsRequest, history, logs, status};

use jiff::Timestamp;

use crate::{
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{Fleet, HostFailure, Run, Stop, row},
    model::Host,
    run::Context,
    state::{self, LastingLock},
    text,
};

/// Keeps everyone from changing the environment until [`unlock`].
pub async fn lock(context: &Context<'_>, message: String) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&[context.environment.lock_host()]).await?;
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
        format!("`{environment}` is locked; `shipit unlock {environment}` takes the lock away");
    context.events.send(EventKind::Note { message });
    fleet.close().await;
    Ok(Outcome::Done)
}

/// Takes away what [`lock`] left.
pub async fn unlock(context: &Context<'_>) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&[context.environment.lock_host()]).await?;
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
                format!("took away the lock of {}: {}", lock.by, lock.message),
                Outcome::Done,
            )
        }
    };
    context.events.send(EventKind::Note { message });
    fleet.close().await;
    Ok(outcome)
}

/// Connects to as many of these hosts as there are to be had: what only looks must work on a bad day. Each
/// host that is missing is a row and a warning; none at all is an error.
async fn connect_to_any(context: &Context<'_>, hosts: &[&Host]) -> Run<Fleet> {
    context.events.send(EventKind::Phase {
        phase: Phase::Connect,
    });
    let (fleet, failures) = Fleet::connect_to_any(
        context.environment,
        hosts,
        context.connector,
        context.events,
    )
    .await;
    if fleet.hosts().is_empty() {
        let mut stop = Stop::not_ready("cannot connect to any host");
        for (host, error) in &failures {
            stop.report
                .causes
                .push(format!("`{host}`: {}", text::chain(error).join(": ")));
            stop.report.hint = stop.report.hint.take().or_else(|| error.hint());
        }
        return Err(stop);
    }
    for (host, error) in &failures {
        let message = format!("left out: {}", text::chain(error).join(": "));
        context.events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message,
            hint: error.hint(),
        });
        context.events.send(EventKind::HostState {
            row: row(host, "cannot connect", Severity::Bad),
        });
    }
    Ok(fleet)
}
