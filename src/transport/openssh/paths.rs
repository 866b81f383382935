//! Where this machine keeps what OpenSSH's client reads.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The places and names a connection depends on beside the inventory. Tests put their own here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The home directory, which `~` and `.ssh` are in.
    pub home: PathBuf,
    /// The local user, who is the remote one too when nothing says otherwise.
    pub user: String,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// The system's client configuration, read after the user's.
    pub system_config: PathBuf,
    /// The system's `known_hosts` files, read after the user's and never written.
    pub system_known_hosts: Vec<PathBuf>,
}

impl Paths {
    /// Those of the account that shipit runs under.
    pub fn of_this_account() -> Self {
        Self {
            home: env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            user: local_user(),
            agent: env::var_os("SSH_AUTH_SOCK")
                .filter(|socket| !socket.is_empty())
                .map(PathBuf::from),
            system_config: PathBuf::from("/etc/ssh/ssh_config"),
            system_known_hosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
                .map(PathBuf::from)
                .into(),
        }
    }

    /// `~` and `~/…` under the home directory; other paths as they are.
    pub(in crate::transport) fn expand(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("~") {
            Ok(rest) if rest.as_os_str().is_empty() => self.home.clone(),
            Ok(rest) => self.home.join(rest),
            Err(_) => path.to_owned(),
        }
    }
}

/// `id -un` knows directories other than /etc/passwd, and a user that `$USER` does not name (in a
/// container, under `su`).
fn local_user() -> String {
    let from_id = Command::new("id")
        .arg("-un")
        .output()
        .ok()
        .and_then(|output| {
            let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
            (output.status.success() && !name.is_empty()).then_some(name)
        });
    from_id
        .or_else(|| env::var("USER").ok())
        .unwrap_or_else(|| "root".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_directory() {
        let paths = Paths {
            home: "/home/alice".into(),
            ..Paths::of_this_account()
        };
        for (path, expanded) in [
            ("~", "/home/alice"),
            ("~/.ssh/id", "/home/alice/.ssh/id"),
            ("~bob/id", "~bob/id"),
            ("/etc/~", "/etc/~"),
        ] {
            // As text: a path with a slash at its end equals the one without.
            let found = paths.expand(Path::new(path));
            assert_eq!(found.as_os_str(), expanded, "{path}");
        }
    }

    #[test]
    fn the_local_user_is_the_one_whose_process_this_is() {
        let id = Command::new("id").arg("-u").output().expect("id");
        let name = local_user();
        let of_name = Command::new("id").args(["-u", &name]).output();
        assert_eq!(of_name.expect("id").stdout, id.stdout, "{name}");
    }
}
