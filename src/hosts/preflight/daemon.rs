//! Docker's daemon answers, and answers this account.

use super::unfit::Unfit;
use crate::{
    docker::{self, Info},
    hosts::{HostError, QUICK, Reached, failed, short},
};

/// Asks docker about itself; a daemon that does not answer in full is one that cannot be used.
pub async fn info(reached: &Reached) -> Result<Info, Unfit> {
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

/// What to type, judged by what docker, sudo or the shell complained of.
fn hint_for(complaint: &str, status: u32, host: &str, user: &str) -> String {
    let says = |words: &str| complaint.to_lowercase().contains(words);
    if says("sudo") && (says("password") || says("not allowed") || says("not in the sudoers")) {
        format!("let `{user}` use sudo without a password on `{host}`, or remove `become`")
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

#[cfg(test)]
mod tests {
    use super::*;

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
