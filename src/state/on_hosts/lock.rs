//! The environment's lock, held by a process on the lock host, so that it never goes stale.
//!
//! The process holds `flock` on a file for as long as our channel to it lives. It ends when its standard input
//! does, or when no heartbeat came for [`SILENCE`]. So the kernel releases the lock however we die: killed, cut
//! off, or asleep in a closed laptop. Nobody ever has to break it.
//!
//! The file is in `/tmp`, where every account finds it and may open it. Debian's `fs.protected_regular` forbids
//! opening another account's file there for creation. So the file is only opened for reading, which is enough
//! for `flock`, and the holder's name is written into it without creating it.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    command::RemoteCommand,
    hosts::{HostError, QUICK, Reached},
    state::backend::{Attempt, Lock},
    transport::Held,
};

/// What the lock host must have.
pub const REQUIREMENT: &str =
    "the host needs `flock` (util-linux) and a /tmp that this account may write to";

/// How often the process is sent a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long the process waits for a heartbeat before it releases the lock, in seconds.
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

/// Tries to take the lock for `holder`.
pub async fn try_lock(
    reached: &Reached,
    environment: &str,
    holder: &str,
) -> Result<Attempt, HostError> {
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
    let (held, answer) = start.await.map_err(|source| HostError::Session {
        command: "flock".into(),
        source,
    })?;
    match answer
        .as_deref()
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
    {
        Some(("held", _)) => Ok(Attempt::Taken(keep(held))),
        Some(("busy", holder)) => Ok(Attempt::HeldBy(holder.to_owned())),
        Some((_, reason)) => Err(HostError::Fact(reason.to_owned())),
        None => {
            let ended = tokio::time::timeout(QUICK, held.ended()).await;
            let why = ended.map_or_else(|_| "nothing was said".to_owned(), |end| end.to_string());
            Err(HostError::Fact(format!(
                "the process that holds it ended: {why}"
            )))
        }
    }
}

/// Sends the process its heartbeats for as long as the lock is wanted. Dropping the lock ends the task, and with
/// it the channel, the process's standard input and so the lock.
fn keep(mut held: Held) -> Lock {
    let (sender, lost) = watch::channel(None);
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
    Lock::new(beating, lost)
}
