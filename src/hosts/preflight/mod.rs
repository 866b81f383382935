//! Is every host fit for a change? Asked of all of them before any is touched.

use super::{
    error::{HostError, failed, short},
    fleet::Fleet,
    reached::{QUICK, Reached},
    stop::{Run, Stop, row},
};
use crate::{
    command::RemoteCommand,
    docker::{self, Info},
    event::{EventKind, Events, Outcome, Phase, Severity},
    model::HostName,
    text,
};

/// The least free space under docker's own folder. Less cannot hold another image's layers.
const LEAST_FREE_KIB: u64 = 256 * 1024;

/// Why a host is not fit, and what to type.
struct Unfit {
    error: HostError,
    hint: String,
}

/// Checks every host; all that are unfit are in the error.
pub async fn check(fleet: &Fleet, events: &Events) -> Run<()> {
    fit(fleet, |_| true, events).await.map(drop)
}

/// Checks every host, and leaves out of the fleet those that are unfit and not `needed`.
pub async fn fit(fleet: &Fleet, needed: impl Fn(&HostName) -> bool, events: &Events) -> Run<Fleet> {
    events.send(EventKind::Phase {
        phase: Phase::Preflight,
    });
    let results = fleet.each(check_host).await;
    let mut failures = Vec::<(HostName, HostError)>::new();
    let mut hints = Vec::new();
    let mut rows = Vec::new();
    for (reached, result) in results {
        match result {
            Ok(()) => rows.push(row(reached.name(), "ready", Severity::Good)),
            Err(unfit) => {
                rows.push(row(reached.name(), "not ready", Severity::Bad));
                failures.push((reached.name().clone(), unfit.error));
                if !hints.contains(&unfit.hint) {
                    hints.push(unfit.hint);
                }
            }
        }
    }
    if !failures.iter().any(|(host, _)| needed(host)) {
        return Ok(fleet.without(|host| failures.iter().any(|(unfit, _)| unfit == host)));
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let verb = if failures.len() == 1 { "is" } else { "are" };
    let mut stop = Stop::on_hosts(
        Outcome::NotReady,
        format!("{names} {verb} not ready; nothing was changed on any host"),
        &failures,
    );
    stop.rows = rows;
    Err(stop.hint(hints.join("\n")))
}

async fn check_host(reached: &Reached) -> Result<(), Unfit> {
    let info = docker_info(reached).await?;
    disk(reached, &info).await
}

async fn docker_info(reached: &Reached) -> Result<Info, Unfit> {
    let command = docker::info();
    let shown = short(&command);
    let host = &*reached.name().clone();
    let unclear = |error| Unfit {
        error,
        hint: format!("look at docker on `{host}`: `systemctl status docker`"),
    };
    let output = reached.run(command, QUICK).await.map_err(unclear)?;
    let info = docker::parse_info(&output.stdout).unwrap_or_default();
    if output.status == 0 && info.server_errors.is_empty() && !info.server_version.is_empty() {
        return Ok(info);
    }
    let complaint = info.server_errors.join("; ");
    let complaint = if complaint.is_empty() {
        output.stderr.trim().to_owned()
    } else {
        complaint
    };
    let user = reached
        .host
        .ssh
        .user
        .clone()
        .unwrap_or_else(|| "the SSH user".to_owned());
    let hint = hint_for(&complaint, output.status, host, &user);
    let error = if complaint.is_empty() {
        failed(shown, &output)
    } else {
        HostError::Fact(complaint)
    };
    Err(Unfit { error, hint })
}

/// What to type, by docker's (and sudo's, and the shell's) own words.
fn hint_for(complaint: &str, status: u32, host: &str, user: &str) -> String {
    let says = |words: &str| complaint.to_lowercase().contains(words);
    if says("sudo") && (says("password") || says("not allowed") || says("not in the sudoers")) {
        format!("let `{user}` use sudo without a password on `{host}`, or leave `become` out")
    } else if status == 127 || says("not found") {
        format!("install docker on `{host}`: `sudo apt-get install docker.io`")
    } else if says("permission denied") {
        format!("on `{host}`: `sudo usermod -aG docker {user}`, or set `become = true` under [ssh]")
    } else {
        format!(
            "on `{host}`: `sudo systemctl start docker`, then `sudo journalctl -u docker` if it does not"
        )
    }
}

/// What to type where a disk is full.
pub fn free_space(host: &HostName) -> String {
    format!("free space on `{host}`: `docker system df`, `docker image prune --all`")
}

async fn disk(reached: &Reached, info: &Info) -> Result<(), Unfit> {
    let root = if info.docker_root_dir.is_empty() {
        "/var/lib/docker"
    } else {
        &info.docker_root_dir
    };
    let command = RemoteCommand::new("df").args(["-P", "-k", root]);
    let hint = free_space(reached.name());
    let output = reached.run(command, QUICK).await.map_err(|error| Unfit {
        error,
        hint: hint.clone(),
    })?;
    // An account that may use docker may still not be let into docker's folder; then nothing is known.
    match free_kib(&output.stdout) {
        Some(free) if free < LEAST_FREE_KIB => {
            let error = HostError::Fact(format!("only {} MiB are free under {root}", free / 1024));
            Err(Unfit { error, hint })
        }
        _ => Ok(()),
    }
}

/// The available column of `df -P -k` (POSIX: the fourth of the second line).
fn free_kib(df: &str) -> Option<u64> {
    df.lines()
        .nth(1)?
        .split_ascii_whitespace()
        .nth(3)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_the_fourth_column() {
        let df =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 40 60 40% /\n";
        assert_eq!(free_kib(df), Some(60));
        assert_eq!(free_kib("df: /var/lib/docker: Permission denied"), None);
    }

    #[test]
    fn the_hint_follows_what_docker_says() {
        let hint = |complaint, status| hint_for(complaint, status, "host-1", "bob");
        assert!(hint("sh: 1: docker: not found", 127).contains("apt-get install docker.io"));
        assert!(
            hint("permission denied while trying to connect", 1).contains("usermod -aG docker bob")
        );
        assert!(hint("sudo: a password is required", 1).contains("sudo without a password"));
        assert!(hint("Cannot connect to the Docker daemon", 1).contains("systemctl start docker"));
    }
}
