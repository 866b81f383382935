//! Taking the environment's lock: at most one change at a time.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    backend::{Advice, Attempt, Backend, Holder, Lock},
    open::open,
};
use crate::{
    event::{EventKind, Outcome, Phase},
    hosts::{Fleet, HostFailure, Run, Stop},
    run::Context,
    text,
};

/// How often who waits for the lock asks for it.
const PAUSE: Duration = Duration::from_secs(2);

/// Takes the environment's lock for `what`, the word that others are shown. While another run has it, it is waited for
/// as long as the user wants; an interrupt ends that.
pub async fn take(context: &Context<'_>, fleet: &Fleet, what: &str) -> Run<Lock> {
    context.events.send(EventKind::Phase { phase: Phase::Lock });
    let holder = || {
        let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
        format!("{} ({what}, since {since})", context.by)
    };
    let tell = |message| context.events.send(EventKind::Note { message });
    let backend = open(context.environment, fleet);
    let queue = Queue {
        backend: &*backend,
        environment: &context.environment.name,
        holder: &holder,
        wait: context.lock_wait,
        tell: &tell,
    };
    let taking = context.interruptible("nothing was changed", queue.take());
    let (lock, weakness) = taking.await?;
    if let Some(Advice { fact, hint }) = weakness {
        context.events.send(EventKind::Warning {
            host: Some(context.environment.lock_host().name.to_string()),
            message: fact,
            hint: Some(hint),
        });
    }
    Ok(lock)
}

/// Removes the files of the lock of an environment that is no more, or never was. Whoever holds it keeps it; one that
/// stays is no harm.
pub async fn forget(context: &Context<'_>, fleet: &Fleet) {
    let forgotten = open(context.environment, fleet).forget_lock().await;
    if let Err((host, error)) = forgotten {
        tracing::info!(%host, error = %text::chain(&error).join(": "), "the lock's files stay");
    }
}

/// Who wants the lock, and how long they wait for it.
struct Queue<'a> {
    backend: &'a dyn Backend,
    environment: &'a str,
    /// The line that others are shown, as of now.
    holder: &'a dyn Fn() -> String,
    wait: Duration,
    /// Takes what there is to say of the waiting.
    tell: &'a dyn Fn(String),
}

impl Queue<'_> {
    async fn take(&self) -> Run<(Lock, Option<Advice>)> {
        let deadline = Instant::now() + self.wait;
        let mut told = None;
        loop {
            let holder = match self.attempt().await? {
                Ok(taken) => return Ok(taken),
                Err(holder) => self.describe(&holder),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.given_up(holder));
            }
            // Another one may have been first; that is worth a word, the same one is not.
            if told.as_ref() != Some(&holder) {
                let rest = if told.is_none() { self.wait } else { left };
                let rest = text::duration(rest);
                (self.tell)(format!("waiting up to {rest} for the lock: {holder}"));
                told = Some(holder);
            }
            tokio::time::sleep(PAUSE.min(left)).await;
        }
    }

    /// Tries it once; the error is who has it.
    async fn attempt(&self) -> Run<Result<(Lock, Option<Advice>), Holder>> {
        let lasting = self.backend.lasting_lock().await;
        if let Some(lock) = lasting.map_err(|failure| cannot_look(&failure))? {
            let at = lock.at.strftime("%Y-%m-%d %H:%M UTC");
            return Err(Stop::new(
                Outcome::Locked,
                format!(
                    "`{}` is locked by {} since {at}: {}",
                    self.environment, lock.by, lock.message
                ),
            )
            .hint(format!("shipit unlock {}", self.environment)));
        }
        let cannot = |failure| cannot_take(self.backend, &failure);
        let holder = (self.holder)();
        match self.backend.try_lock(&holder).await.map_err(cannot)? {
            Attempt::Taken { lock, weakness } => Ok(Ok((lock, weakness))),
            Attempt::HeldBy(holder) => Ok(Err(holder)),
            Attempt::Obstructed(Advice { fact, hint }) => {
                let message = format!("cannot take the lock of `{}`", self.environment);
                Err(Stop::new(Outcome::NotReady, message).cause(fact).hint(hint))
            }
        }
    }

    fn describe(&self, Holder { name, account }: &Holder) -> String {
        let name = if name.is_empty() {
            "someone else"
        } else {
            name
        };
        let account = account.as_ref();
        let account = account.map_or_else(String::new, |account| format!(", as {account}"));
        format!("`{}` is being changed by {name}{account}", self.environment)
    }

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    fn given_up(&self, holder: String) -> Box<Stop> {
        let stop = Stop::new(Outcome::Locked, holder);
        if self.wait.is_zero() {
            stop.hint("`--wait 10m` waits until that run ends; the lock ends with it")
        } else {
            let waited = text::duration(self.wait);
            stop.cause(format!("waited {waited} for it"))
                .hint("try again when that run ends; the lock ends with it")
        }
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot_look((host, error): &HostFailure) -> Box<Stop> {
    let message = format!("cannot find out on `{host}` whether the environment is locked");
    Stop::on_host(Outcome::NotReady, message, host, error)
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot_take(backend: &dyn Backend, (host, error): &HostFailure) -> Box<Stop> {
    let message = format!("cannot take the lock on `{host}`");
    let stop = Stop::on_host(Outcome::NotReady, message, host, error);
    // What the lock needs there is no help where the host does not answer.
    if error.is_unreachable() {
        stop
    } else {
        stop.hint(backend.lock_requirement())
    }
}

#[cfg(test)]
mod tests;
