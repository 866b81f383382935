//! Docker's daemon answers, and answers this account.

use super::unfit::Unfit;
use crate::{
    command::{quote, typed},
    docker::{self, Info},
    hosts::{HostError, QUICK, Reached, failed, short},
    model::Name,
    text,
    transport::Output,
};

/// Asks docker about itself; a daemon that does not answer in full is one that cannot be used.
pub async fn info(reached: &Reached, environment: &Name) -> Result<Info, Unfit> {
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
    let (error, printed) = complaint(&info, &output, shown);
    let hint = hint_for(
        &printed,
        output.status,
        [host, &reached.session.user(), environment],
    );
    Err(Unfit { error, hint })
}

/// Why docker cannot be used, and in full what it, its daemon or the shell complained of.
fn complaint(info: &Info, output: &Output, shown: String) -> (HostError, String) {
    let of_daemon = info.server_errors.join("; ");
    if !of_daemon.is_empty() {
        return (HostError::Fact(of_daemon.clone()), of_daemon);
    }
    let error = match text::complaint(&output.stderr) {
        Some(complaint) => HostError::Fact(complaint),
        None if output.status == 0 => HostError::Fact(format!(
            "no docker daemon answers: `{shown}` names no version of one"
        )),
        None => failed(shown, output),
    };
    (error, output.stderr.clone())
}

/// What to type, judged by what docker, sudo or the shell complained of.
fn hint_for(complaint: &str, status: u32, [host, user, environment]: [&str; 3]) -> String {
    let setup = typed("shipit setup", [environment]);
    let says = |words: &str| complaint.to_lowercase().contains(words);
    if says("sudo") && (says("password") || says("not allowed") || says("not in the sudoers")) {
        format!("let `{user}` use sudo without a password on `{host}`, or remove `become`")
    } else if status == 127 || says("not found") {
        format!(
            "`{setup}` installs docker; if it is there on `{host}`, `ssh {} printenv PATH` must name its folder",
            quote(host)
        )
    } else if says("permission denied") {
        let join = typed("sudo usermod -aG docker", [user]);
        format!("on `{host}`: `{join}`, which `{setup}` does; or set `become = true` under [ssh]")
    } else {
        format!(
            "`{setup}` starts it; on `{host}`, `sudo journalctl -u docker` says why it does not start"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_one_line_and_success_is_no_reason() {
        let why = |status, stderr: &str, server_errors: &[&str]| {
            let output = Output {
                status,
                stdout: "{}".into(),
                stderr: stderr.into(),
            };
            let info = Info {
                server_errors: server_errors.iter().map(ToString::to_string).collect(),
                ..Info::default()
            };
            complaint(&info, &output, "docker info".into())
                .0
                .to_string()
        };
        assert_eq!(
            why(0, "", &[]),
            "no docker daemon answers: `docker info` names no version of one"
        );
        assert_eq!(why(1, "", &[]), "`docker info` failed with status 1: {}");
        assert_eq!(why(1, "WARNING: x\nnot allowed\n", &[]), "not allowed");
        assert_eq!(why(0, "", &["cannot connect"]), "cannot connect");
    }

    #[test]
    fn the_hint_follows_what_docker_says() {
        let hint = |complaint, status| hint_for(complaint, status, ["host-1", "bob", "staging"]);
        assert!(
            hint("sh: 1: docker: not found", 127)
                .contains("`shipit setup staging` installs docker")
        );
        assert!(
            hint("permission denied while trying to connect", 1).contains("usermod -aG docker bob")
        );
        assert!(hint("sudo: a password is required", 1).contains("sudo without a password"));
        assert!(
            hint("Cannot connect to the Docker daemon", 1)
                .contains("`shipit setup staging` starts it")
        );
    }
}
