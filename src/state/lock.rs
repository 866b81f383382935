//! Taking the environment's lock: at most one change at a time.

use jiff::Timestamp;

use super::{
    backend::{Attempt, Backend, Lock},
    open::open,
};
use crate::{
    event::{EventKind, Outcome, Phase},
    hosts::{Fleet, HostFailure, Run, Stop},
    run::Context,
};

/// Takes the environment's lock for `what`, the word that others are shown.
pub async fn take(context: &Context<'_>, fleet: &Fleet, what: &str) -> Run<Lock> {
    context.events.send(EventKind::Phase { phase: Phase::Lock });
    let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    let holder = format!("{} ({what}, since {since})", context.by);
    let environment = &context.environment.name;
    let backend = &*open(context.environment, fleet);
    let cannot = |failure| cannot(backend, &failure);
    if let Some(lock) = backend.lasting_lock().await.map_err(cannot)? {
        let at = lock.at.strftime("%Y-%m-%d %H:%M UTC");
        return Err(Stop::new(
            Outcome::Locked,
            format!(
                "`{environment}` is locked by {} since {at}: {}",
                lock.by, lock.message
            ),
        )
        .hint(format!("shipit unlock {environment}")));
    }
    match backend.try_lock(&holder).await.map_err(cannot)? {
        Attempt::Taken(lock) => Ok(lock),
        Attempt::HeldBy(holder) => {
            let holder = if holder.is_empty() {
                "someone else"
            } else {
                &holder
            };
            Err(Stop::new(
                Outcome::Locked,
                format!("`{environment}` is being changed by {holder}"),
            )
            .hint("wait until it has ended; the lock ends with it, whatever becomes of it"))
        }
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot(backend: &dyn Backend, (host, error): &HostFailure) -> Box<Stop> {
    Stop::on_host(
        Outcome::NotReady,
        format!("cannot take the lock on `{host}`"),
        host,
        error,
    )
    .hint(backend.lock_requirement())
}
