//! Which distribution a host has, and what its Docker is called there.

/// A distribution, as its os-release says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// `debian`, `fedora`.
    pub id: String,
    /// What it is made from: `debian`, or `rhel centos fedora`.
    pub like: Vec<String>,
    /// As people call it: `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
}

/// What installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packages {
    /// `apt-get`.
    Apt,
    /// `dnf`, with what the package is called.
    Dnf(&'static str),
    /// `apk`.
    Apk,
    /// `zypper`.
    Zypper,
}

impl Distribution {
    /// Reads os-release(5): words with or without quotes.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut distribution = Self::default();
        for line in lines {
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches(['"', '\'']);
            match name.trim() {
                "ID" => value.clone_into(&mut distribution.id),
                "ID_LIKE" => {
                    distribution.like = value.split_whitespace().map(str::to_owned).collect();
                }
                "PRETTY_NAME" => value.clone_into(&mut distribution.name),
                _ => {}
            }
        }
        if distribution.name.is_empty() {
            distribution.name.clone_from(&distribution.id);
        }
        distribution
    }

    /// What installs its Docker; `None` where it has none of its own, or is not known.
    pub fn packages(&self) -> Option<Packages> {
        // Red Hat's and what is made from it have Podman instead, although they are like Fedora.
        let has_none = |id: &str| matches!(id, "rhel" | "centos" | "rocky" | "almalinux" | "ol");
        let by_name = |id: &str| match id {
            "debian" | "ubuntu" | "raspbian" | "linuxmint" | "pop" => Some(Packages::Apt),
            "fedora" => Some(Packages::Dnf("moby-engine")),
            "amzn" => Some(Packages::Dnf("docker")),
            "alpine" => Some(Packages::Apk),
            "sles" | "suse" | "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" => {
                Some(Packages::Zypper)
            }
            _ => None,
        };
        if let Some(packages) = by_name(&self.id) {
            return Some(packages);
        }
        if has_none(&self.id) || self.like.iter().any(|id| has_none(id)) {
            return None;
        }
        self.like.iter().find_map(|id| by_name(id))
    }
}

impl Packages {
    /// What is installed, and by what: `docker.io with apt-get`.
    pub fn words(self) -> String {
        match self {
            Self::Apt => "docker.io with apt-get".to_owned(),
            Self::Dnf(package) => format!("{package} with dnf"),
            Self::Apk => "docker with apk".to_owned(),
            Self::Zypper => "docker with zypper".to_owned(),
        }
    }

    /// What an error calls the script.
    pub fn shown(self) -> String {
        match self {
            Self::Apt => "apt-get install docker.io".to_owned(),
            Self::Dnf(package) => format!("dnf install {package}"),
            Self::Apk => "apk add docker".to_owned(),
            Self::Zypper => "zypper install docker".to_owned(),
        }
    }

    /// The script that installs it, as root; nothing in it waits for an answer.
    pub fn script(self) -> String {
        match self {
            // The client is a package of its own in newer ones. Another apt may be at work on a host that has just
            // been made. Files that are there are kept.
            Self::Apt => "export DEBIAN_FRONTEND=noninteractive
                options='-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold'
                apt-get $options update -q || exit
                client=
                if apt-cache show docker-cli >/dev/null 2>&1; then client=docker-cli; fi
                apt-get $options install -y -q docker.io $client"
                .to_owned(),
            Self::Dnf(package) => format!("dnf install -y {package}"),
            Self::Apk => "apk add --no-progress docker".to_owned(),
            Self::Zypper => "zypper --non-interactive install docker".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(text: &str) -> Option<Packages> {
        Distribution::parse(text.lines()).packages()
    }

    #[test]
    fn each_distribution_has_its_own_package() {
        for (text, expected) in [
            ("ID=debian\nVERSION_ID=\"12\"", Some(Packages::Apt)),
            ("ID=ubuntu\nID_LIKE=debian", Some(Packages::Apt)),
            ("ID=zorin\nID_LIKE=\"ubuntu debian\"", Some(Packages::Apt)),
            ("ID=fedora", Some(Packages::Dnf("moby-engine"))),
            (
                "ID=\"amzn\"\nID_LIKE=\"fedora\"",
                Some(Packages::Dnf("docker")),
            ),
            ("ID=alpine", Some(Packages::Apk)),
            (
                "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"",
                Some(Packages::Zypper),
            ),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", None),
            ("ID=eurolinux\nID_LIKE=\"rhel fedora\"", None),
            ("ID=nixos", None),
            ("", None),
        ] {
            assert_eq!(packages(text), expected, "{text}");
        }
    }

    #[test]
    fn it_is_called_what_people_call_it() {
        let named = Distribution::parse("ID=debian\nPRETTY_NAME=\"Debian 12\"".lines());
        assert_eq!(named.name, "Debian 12");
        assert_eq!(Distribution::parse("ID=debian".lines()).name, "debian");
    }
}
