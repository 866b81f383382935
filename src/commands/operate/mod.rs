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
    event::{EventKind, Outcome},
    hosts::{Run, Stop},
    run::Context,
    state::lasting_lock::{Hold, place_hold, read_hold, release_hold},
};

/// Keeps everyone from changing the environment until [`unlock`].
pub async fn lock(context: &Context<'_>, message: String) -> Run<Outcome> {
    let environment = &context.environment.name;
    let fleet = context.connect(&[context.environment.lock_host()]).await?;
    let Some(reached) = fleet.hosts().first() else {
        return Ok(Outcome::NothingToDo);
    };
    let cannot = |error| {
        Stop::on_host(
            Outcome::NotReady,
            format!("cannot lock `{environment}`"),
            reached.name(),
            &error,
        )
    };
    if let Some(hold) = read_hold(reached, environment).await.map_err(cannot)? {
        return Err(Stop::new(
            Outcome::Locked,
            format!(
                "`{environment}` is locked already by {}: {}",
                hold.by, hold.message
            ),
        )
        .hint(format!("shipit unlock {environment}")));
    }
    let hold = Hold {
        message,
        by: context.by.clone(),
        at: Timestamp::now(),
    };
    place_hold(reached, environment, &hold)
        .await
        .map_err(cannot)?;
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
