//! The environment's lock: at most one change at a time, and none that goes stale.
//!
//! A process on the lock host holds `flock` on a file for as long as our channel to it lives. It ends when
//! its standard input does, or when no heartbeat came for [`SILENCE`], so that the kernel releases the lock
//! however we die: killed, cut off, or asleep in a closed laptop. Nobody ever has to break it.
//!
//! The file is in `/tmp`, where every account finds and may open it. Debian's `fs.protected_regular`
//! forbids to open another account's file there for creation, so it is only ever opened for reading (which
//! is enough for `flock`), and the holder's name is written into it without creating it.

use std::time::Duration;

use jiff::Timestamp;

use super::lasting_lock::read_hold;
use crate::{
    command::RemoteCommand,
    event::{EventKind, Outcome, Phase},
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop},
    run::Context,
    transport::Held,
};

/// How often the holder is told that we live.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long the holder waits for a heartbeat before it lets go, in seconds.
const SILENCE: &str = "60";

/// `$1` is the file, `$2` who holds it, `$3` how long a silence may be. Prints `held`, or `busy` and who
/// holds it. The descriptor 9 is closed for every child, so that none keeps the lock longer than the shell.
const HOLD: &str = r#"
[ ! -L "$1" ] || { echo "refuse $1 is a symbolic link"; exit 1; }
[ -e "$1" ] || (umask 000; : >>"$1") || exit
exec 9<"$1" || exit
flock -n 9 || { echo "busy $(head -n 1 "$1")"; exit 0; }
printf '%s\n' "$2" 9<&- | dd of="$1" conv=nocreat 2>/dev/null 9<&- || printf '%s\n' "$2" >"$1"
echo held
while [ -n "$(timeout "$3" head -c 1 9<&-)" ]; do :; done
"#;

/// The lock, for as long as this lives.
pub struct Lock {
    beating: tokio::task::JoinHandle<()>,
    lost: tokio::sync::watch::Receiver<Option<String>>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // With the task goes the channel, with that the holder's standard input, with that the lock.
        self.beating.abort();
    }
}

impl Lock {
    /// Why the lock is lost already, if it is.
    pub fn is_lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// Waits until the lock is lost: the host that keeps it is gone, so someone else could take it.
    pub async fn lost(&mut self) -> String {
        match self.lost.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }
}

/// Takes the environment's lock for `what`, the word that others are shown.
pub async fn take(context: &Context<'_>, fleet: &Fleet, what: &str) -> Run<Lock> {
    context.events.send(EventKind::Phase { phase: Phase::Lock });
    let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    let holder = format!("{} ({what}, since {since})", context.by);
    let environment = context.environment;
    let Some(reached) = fleet.host(&environment.lock_host().name) else {
        return Err(Stop::not_ready(format!(
            "`{}` keeps the lock and was not reached",
            environment.lock_host().name
        )));
    };
    acquire(reached, &environment.name, &holder).await
}

/// Takes the lock, or says who has it.
async fn acquire(reached: &Reached, environment: &str, holder: &str) -> Run<Lock> {
    if let Some(hold) = read_hold(reached, environment)
        .await
        .map_err(|error| cannot(reached, &error))?
    {
        let at = hold.at.strftime("%Y-%m-%d %H:%M UTC");
        return Err(Stop::new(
            Outcome::Locked,
            format!(
                "`{environment}` is locked by {} since {at}: {}",
                hold.by, hold.message
            ),
        )
        .hint(format!("shipit unlock {environment}")));
    }
    let file = format!("/tmp/shipit-{environment}.lock");
    let command = reached.adapt(RemoteCommand::script(
        HOLD,
        [file.as_str(), holder, SILENCE],
    ));
    let start = async {
        let mut held = reached.session.hold(&command, QUICK).await?;
        let answer = held.line(QUICK).await?;
        Ok((held, answer))
    };
    let (held, answer) = start.await.map_err(|source| {
        cannot(
            reached,
            &HostError::Session {
                command: "flock".into(),
                source,
            },
        )
    })?;
    match answer
        .as_deref()
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
    {
        Some(("held", _)) => Ok(keep(held)),
        Some(("busy", holder)) => {
            let holder = if holder.is_empty() {
                "someone else"
            } else {
                holder
            };
            Err(Stop::new(
                Outcome::Locked,
                format!("`{environment}` is being changed by {holder}"),
            )
            .hint("wait until it has ended; the lock ends with it, whatever becomes of it"))
        }
        Some((_, reason)) => Err(cannot(reached, &HostError::Fact(reason.to_owned()))),
        None => {
            let ended = tokio::time::timeout(QUICK, held.ended()).await;
            let why = ended.map_or_else(|_| "nothing was said".to_owned(), |end| end.to_string());
            Err(cannot(
                reached,
                &HostError::Fact(format!("the process that holds it ended: {why}")),
            ))
        }
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot(reached: &Reached, error: &HostError) -> Box<Stop> {
    Stop::on_host(
        Outcome::NotReady,
        format!("cannot take the lock on `{}`", reached.name()),
        reached.name(),
        error,
    )
    .hint("the host needs `flock` (util-linux) and a /tmp that this account may write to")
}

/// Feeds the holder for as long as the lock is wanted.
fn keep(mut held: Held) -> Lock {
    let (sender, lost) = tokio::sync::watch::channel(None);
    let beating = tokio::spawn(async move {
        let ended = held.ended();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                end = &mut ended => {
                    sender.send_replace(Some(format!("the process that holds the lock is gone: {end}")));
                    return;
                }
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
            if let Err(error) = held.write(b".", QUICK).await {
                sender.send_replace(Some(format!("the lock can no longer be held: {error}")));
                return;
            }
        }
    });
    Lock { beating, lost }
}
