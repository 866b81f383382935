//! What is to be done on a host, judged by what it has.

use std::fmt;

use super::{
    distribution::Packages,
    found::{Found, Root, Services},
};
use crate::command::RemoteCommand;

/// One thing that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Install Docker.
    Install(Packages),
    /// Put an account into the group `docker`, which is made where it is not there.
    Join(String),
    /// Start the daemon, now and at boot.
    Start(Services),
    /// Have the daemon started at boot; it runs already.
    Enable(Services),
    /// Restart the daemon: its socket is of a group that was not there when it started.
    Restart(Services),
}

/// Why a host cannot be made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The fact.
    pub fact: String,
    /// What to do.
    pub hint: String,
}

/// What is to be done on a host, in order; nothing where deploys can ask its Docker, now and after a reboot.
/// `through_sudo` says that deploys ask it as root.
pub fn steps(found: &Found, through_sudo: bool) -> Result<Vec<Step>, Obstacle> {
    let runs = found.runs.is_some() || found.answers.is_some();
    // A daemon of the account's own answers it and not root; how that one starts is the account's business.
    let is_off_at_boot = found.is_off_at_boot && found.runs.is_some();
    if found.answers.is_some() && !is_off_at_boot {
        return Ok(Vec::new());
    }
    if found.root.is_none() {
        return Err(no_root(found));
    }
    let mut steps = Vec::new();
    if found.docker.is_none() {
        let packages = found.distribution.packages();
        steps.push(Step::Install(packages.ok_or_else(|| no_package(found))?));
    }
    let asks_as_itself = !through_sudo && found.root != Some(Root::Login);
    let joins = asks_as_itself && found.answers.is_none() && !found.is_in_group;
    if joins {
        steps.push(Step::Join(found.user.clone()));
    }
    let services = found.services.ok_or_else(|| no_services(found));
    if !runs {
        steps.push(Step::Start(services?));
    } else if is_off_at_boot {
        steps.push(Step::Enable(services?));
    }
    if runs && joins && !found.has_group {
        steps.push(Step::Restart(
            found.services.ok_or_else(|| no_services(found))?,
        ));
    }
    Ok(steps)
}

fn no_root(found: &Found) -> Obstacle {
    let user = &found.user;
    Obstacle {
        fact: format!(
            "`{user}` may not use sudo without a password, and only root can set the host up"
        ),
        hint: format!(
            "let it: `echo '{user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{user}` there; or set the host up as `root`: `user = \"root\"`"
        ),
    }
}

fn no_package(found: &Found) -> Obstacle {
    let name = &found.distribution.name;
    let name = if name.is_empty() {
        "what this host runs"
    } else {
        name
    };
    Obstacle {
        fact: format!("no package of Docker is known for {name}"),
        hint: "install Docker by hand: https://docs.docker.com/engine/install/".to_owned(),
    }
}

fn no_services(found: &Found) -> Obstacle {
    let name = &found.distribution.name;
    Obstacle {
        fact: format!(
            "nothing that starts services was found on {name}: no systemd, OpenRC or `service`"
        ),
        hint: "start `dockerd` by hand, and at boot".to_owned(),
    }
}

impl Step {
    /// What an error calls the command.
    pub fn shown(&self) -> String {
        match self {
            Self::Install(packages) => packages.shown(),
            Self::Join(user) => format!("usermod -aG docker {user}"),
            Self::Start(by) => by.shown("start"),
            Self::Enable(by) => by.shown("enable"),
            Self::Restart(by) => by.shown("restart"),
        }
    }

    /// The command that does it, as root.
    pub fn command(&self) -> RemoteCommand {
        match self {
            Self::Install(packages) => RemoteCommand::shell(with_path(&packages.script())),
            Self::Join(user) => {
                // BusyBox has `addgroup` alone.
                let script = "if command -v usermod >/dev/null; then \
                    getent group docker >/dev/null || groupadd --system docker; usermod -aG docker \"$1\"; \
                    else getent group docker >/dev/null || addgroup -S docker; addgroup \"$1\" docker; fi";
                RemoteCommand::shell(with_path(script))
                    .arg("shipit")
                    .arg(user)
            }
            Self::Start(services) => RemoteCommand::shell(with_path(services.start())),
            Self::Enable(services) => RemoteCommand::shell(with_path(services.enable())),
            Self::Restart(services) => RemoteCommand::shell(with_path(services.restart())),
        }
    }
}

/// An account's PATH may lack what is root's.
fn with_path(script: &str) -> String {
    format!("PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"\n{script}")
}

impl Services {
    /// It may run already: packages of Debian's start what they bring.
    fn start(self) -> &'static str {
        match self {
            Self::Systemd => "systemctl enable --now docker.service",
            Self::OpenRc => "rc-update add docker default && rc-service --ifstopped docker start",
            Self::SysVInit => {
                "docker version >/dev/null 2>&1 || service docker start || exit
                if command -v update-rc.d >/dev/null; then update-rc.d docker defaults; fi"
            }
        }
    }

    fn enable(self) -> &'static str {
        match self {
            Self::Systemd => "systemctl enable docker.service",
            Self::OpenRc => "rc-update add docker default",
            Self::SysVInit => "update-rc.d docker defaults",
        }
    }

    fn restart(self) -> &'static str {
        match self {
            Self::Systemd => "systemctl restart docker.service",
            Self::OpenRc => "rc-service docker restart",
            Self::SysVInit => "service docker restart",
        }
    }

    fn shown(self, verb: &str) -> String {
        match (self, verb) {
            (Self::Systemd, verb) => format!("systemctl {verb} docker"),
            (Self::OpenRc, "enable") => "rc-update add docker".to_owned(),
            (Self::SysVInit, "enable") => "update-rc.d docker defaults".to_owned(),
            (by, verb) => format!("{} docker {verb}", by.program()),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Systemd => "systemctl",
            Self::OpenRc => "rc-service",
            Self::SysVInit => "service",
        }
    }
}

/// What it does, in the imperative.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Install(packages) => write!(f, "install {}", packages.words()),
            Self::Join(user) => write!(f, "put `{user}` into the group `docker`"),
            Self::Start(by) => write!(f, "start docker, now and at boot, with {}", by.program()),
            Self::Enable(by) => write!(f, "have docker started at boot with {}", by.program()),
            Self::Restart(by) => write!(f, "restart docker with {}", by.program()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is to be done on a Debian that printed this, too.
    fn said(printed: &str, through_sudo: bool) -> String {
        let printed =
            format!("user=deploy\n{printed}\nos-release\nID=debian\nPRETTY_NAME=Debian 12\n");
        match steps(&Found::parse(&printed), through_sudo) {
            Ok(steps) => {
                let lines: Vec<_> = steps.iter().map(|step| format!("{step}\n")).collect();
                lines.concat()
            }
            Err(Obstacle { fact, hint }) => format!("{fact}\nhint: {hint}\n"),
        }
    }

    const FRESH: &str = "root=sudo\nservices=systemd\nboot=";

    #[test]
    fn a_fresh_host_gets_docker() {
        assert_eq!(
            said(FRESH, false),
            "install docker.io with apt-get\nput `deploy` into the group `docker`\n\
            start docker, now and at boot, with systemctl\n"
        );
        assert_eq!(
            said(FRESH, true),
            "install docker.io with apt-get\nstart docker, now and at boot, with systemctl\n"
        );
        assert_eq!(
            said("root=login\nservices=openrc", false),
            "install docker.io with apt-get\nstart docker, now and at boot, with rc-service\n"
        );
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let ready = "groups=deploy docker\ndocker=/usr/bin/docker\nanswers=28.0\nruns=28.0\nroot=sudo\nservices=systemd";
        assert_eq!(said(ready, false), "");
        assert_eq!(
            said(&format!("{ready}\nboot=disabled"), false),
            "have docker started at boot with systemctl\n"
        );
        // A daemon of the account's own, and no way to become root.
        let rootless = "docker=/usr/bin/docker\nanswers=28.0\nservices=systemd\nboot=disabled";
        assert_eq!(said(rootless, false), "");
    }

    #[test]
    fn a_part_that_is_missing_is_added() {
        let docker = "docker=/usr/bin/docker\nroot=sudo\nservices=systemd\nboot=enabled";
        assert_eq!(
            said(&format!("{docker}\nruns=28.0\ngroup=yes"), false),
            "put `deploy` into the group `docker`\n"
        );
        assert_eq!(
            said(&format!("{docker}\nruns=28.0"), false),
            "put `deploy` into the group `docker`\nrestart docker with systemctl\n"
        );
        assert_eq!(
            said(&format!("{docker}\ngroups=docker"), false),
            "start docker, now and at boot, with systemctl\n"
        );
    }

    #[test]
    fn what_cannot_be_done_is_said_with_what_to_do() {
        let no_root = said("services=systemd", false);
        assert!(no_root.contains("`deploy` may not use sudo"), "{no_root}");
        assert!(no_root.contains("/etc/sudoers.d/deploy"), "{no_root}");
        let no_services = said("root=sudo", false);
        assert!(no_services.contains("no systemd, OpenRC"), "{no_services}");
        let unknown = steps(
            &Found::parse("root=login\nservices=systemd\nos-release\nID=nixos"),
            false,
        );
        let fact = unknown.expect_err("it is not known").fact;
        assert_eq!(fact, "no package of Docker is known for nixos");
    }
}
