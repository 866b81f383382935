//! Docker's disk has room for another image.

use super::unfit::Unfit;
use crate::{
    command::RemoteCommand,
    docker::Info,
    hosts::{HostError, QUICK, Reached},
    model::HostName,
};

/// The least free space under docker's own folder. Less cannot hold another image's layers.
const LEAST_FREE_KIB: u64 = 256 * 1024;

/// What to type where a disk is full.
pub fn free_space(host: &HostName) -> String {
    format!("free space on `{host}`: `docker system df`, `docker image prune --all`")
}

/// Checks the disk under docker's own folder, where images are kept.
pub async fn has_room(reached: &Reached, info: &Info) -> Result<(), Unfit> {
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
    // An account that may use docker may not read docker's folder. Then the free space is unknown, which is
    // no reason to refuse the host.
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
}
