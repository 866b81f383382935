//! The environment's lock, held by a process on the lock host, so that it never goes stale.
//!
//! The process holds `flock` on files for as long as our channel to it lives. It ends when its standard input does,
//! or when no heartbeat came for [`SILENCE`]. So the kernel releases the lock however we die: killed, cut off, or
//! asleep in a closed laptop. Nobody ever has to break it.
//!
//! Where are the files? Every account that may use docker must find the same ones, and others must not be able to
//! hold them, replace them, or have us open something else. `hold.sh` says how.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    command::{RemoteCommand, typed},
    hosts::{HostError, QUICK, Reached, why_ended},
    state::backend::{Advice, Attempt, Holder, Lock},
    transport::Held,
};

/// What the lock host must have.
pub const REQUIREMENT: &str =
    "the host needs `flock` (util-linux), `stat` and a /tmp that this account may write to";

/// How often the process is sent a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long the process waits for a heartbeat before it releases the lock, in seconds.
const SILENCE: &str = "60";

/// How long the removal of the lock's files may take.
const FORGETTING: Duration = Duration::from_secs(15);

/// Takes the lock, says what came of it and holds it.
const HOLD: &str = include_str!("hold.sh");

/// The folder that root makes; after a reboot it is made anew.
const FOLDER: &str = "/run/shipit";

/// The folder in which every account may make files.
const SHARED: &str = "/tmp";

/// Its group is that of the accounts that may use docker.
const SOCKET: &str = "/var/run/docker.sock";

/// Removes the lock's files. One that somebody holds stays: whoever opened it before it went finds that it is not the
/// one that is there, as `hold.sh` looks. The process that held it for us may take a moment to end.
const FORGET: &str = r#"
for file in "$1/$3.lock" "$2/shipit-$3.lock"; do
  for _ in 1 2 3 4 5; do
    [ -f "$file" ] && [ ! -L "$file" ] && exec 8<"$file" || break
    if flock -n 8; then rm -f -- "$file"; break; fi
    sleep 1
  done
  exec 8<&-
done"#;

/// Removes the files of the lock of an environment that is no more.
pub async fn forget(reached: &Reached, environment: &str) -> Result<(), HostError> {
    let command = RemoteCommand::script(FORGET, [FOLDER, SHARED, environment]);
    reached.expect(command, FORGETTING).await.map(|_| ())
}

/// Tries to take the lock for `holder`.
pub async fn try_lock(
    reached: &Reached,
    environment: &str,
    holder: &str,
) -> Result<Attempt, HostError> {
    let arguments = [FOLDER, SHARED, environment, holder, SILENCE, SOCKET];
    let command = RemoteCommand::script(HOLD, arguments);
    let (held, answer) = reached.hold(command, "flock").await?;
    let Some(answer) = answer else {
        let why = why_ended(&held).await;
        return Err(HostError::Fact(format!(
            "the process that holds it ended: {why}"
        )));
    };
    match read(&answer, reached.name()) {
        Answer::Held { weakness } => Ok(Attempt::Taken {
            lock: keep(held),
            weakness,
        }),
        Answer::HeldBy(holder) => Ok(Attempt::HeldBy(holder)),
        Answer::Obstructed(advice) => Ok(Attempt::Obstructed(advice)),
        Answer::Unknown => Err(HostError::Fact(answer)),
    }
}

/// What the script says.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Held { weakness: Option<Advice> },
    HeldBy(Holder),
    Obstructed(Advice),
    Unknown,
}

fn read(answer: &str, host: &str) -> Answer {
    let private_folder =
        format!("`sudo install -d -m 2770 -g docker {FOLDER}` keeps the lock from such accounts");
    let (verdict, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let words: Vec<_> = rest.splitn(3, ' ').collect();
    let (fact, hint) = match (verdict, &words[..]) {
        ("held", ["private"]) => return Answer::Held { weakness: None },
        ("held", ["open"]) => {
            let fact = format!(
                "every account of `{host}` can open the lock's file in {SHARED} and hold deploys up"
            );
            let hint = format!("on `{host}`: {private_folder}");
            let weakness = Some(Advice { fact, hint });
            return Answer::Held { weakness };
        }
        ("busy", [account, _, name]) => {
            let account = (*account != "-").then(|| format!("`{account}` on `{host}`"));
            let name = (*name).to_owned();
            return Answer::HeldBy(Holder { name, account });
        }
        ("stranger", [account, process, file]) => (
            format!(
                "the account `{account}` of `{host}`, which may not use docker, keeps {file} locked"
            ),
            format!(
                "on `{host}`: `{}`; {private_folder}",
                typed("sudo kill", [process])
            ),
        ),
        ("squat", [account, file]) => (
            format!(
                "{file} on `{host}` is of the account `{account}`, which may not use docker, or is no plain file"
            ),
            format!(
                "on `{host}`: `{}`; {private_folder}",
                typed("sudo rm", [file])
            ),
        ),
        ("shut", [file]) => (
            format!("{file} on `{host}` is no lock that this account may use"),
            format!(
                "on `{host}`: `{}` must show docker's group, and this account must be in it; if it is something else, `{}` while nobody deploys",
                typed("ls -ld", [file]),
                typed("sudo rm -r", [file])
            ),
        ),
        ("unsafe", [folder]) => (
            format!("on `{host}` any account may take other accounts' files out of {folder}"),
            format!(
                "on `{host}`: `{}`; {private_folder}",
                typed("sudo chmod 1777", [folder])
            ),
        ),
        _ => return Answer::Unknown,
    };
    Answer::Obstructed(Advice { fact, hint })
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

#[cfg(test)]
mod tests;
