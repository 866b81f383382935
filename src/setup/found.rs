//! What a host has, as `look.sh` prints it.

use super::distribution::Distribution;

/// How services are started on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Services {
    /// `systemctl`.
    Systemd,
    /// `rc-service`.
    OpenRc,
    /// `service`.
    SysVInit,
}

/// What the login account may do as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// It is root.
    Login,
    /// `sudo` without a password.
    Sudo,
}

/// What a host has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The distribution.
    pub distribution: Distribution,
    /// The login account.
    pub user: String,
    /// Whether the account is in the group `docker`.
    pub is_in_group: bool,
    /// Whether there is a group `docker`.
    pub has_group: bool,
    /// How it becomes root, if it may.
    pub root: Option<Root>,
    /// Where docker's client is.
    pub docker: Option<String>,
    /// The version of the daemon that answers as deploys will ask it.
    pub answers: Option<String>,
    /// The version of the daemon that answers root.
    pub runs: Option<String>,
    /// How services are started.
    pub services: Option<Services>,
    /// Whether docker is not started at boot.
    pub is_off_at_boot: bool,
    /// The host's clock, in seconds since 1970.
    pub clock: Option<i64>,
}

/// What stands before the distribution's own file.
const OS_RELEASE: &str = "os-release";

impl Found {
    /// Reads what the script printed. What is not there was not found.
    pub fn parse(printed: &str) -> Self {
        let mut found = Self::default();
        let mut lines = printed.lines();
        for line in lines.by_ref().take_while(|line| *line != OS_RELEASE) {
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim();
            let text = || Some(value.to_owned()).filter(|value| !value.is_empty());
            match name {
                "user" => value.clone_into(&mut found.user),
                "groups" => found.is_in_group = value.split(' ').any(|group| group == "docker"),
                "group" => found.has_group = true,
                "root" if value == "login" => found.root = Some(Root::Login),
                "root" => found.root = Some(Root::Sudo),
                "docker" => found.docker = text(),
                "answers" => found.answers = text(),
                "runs" => found.runs = text(),
                "services" => {
                    found.services = match value {
                        "systemd" => Some(Services::Systemd),
                        "openrc" => Some(Services::OpenRc),
                        "sysvinit" => Some(Services::SysVInit),
                        _ => None,
                    }
                }
                "boot" => found.is_off_at_boot = value == "disabled",
                "clock" => found.clock = value.parse().ok(),
                _ => {}
            }
        }
        found.distribution = Distribution::parse(lines);
        found
    }
}
