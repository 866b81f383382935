//! Where a connection goes and how it logs in, resolved: the inventory first, then OpenSSH's
//! configuration, then OpenSSH's defaults.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    endpoint::Endpoint,
    error::{ConnectError, place},
};
use crate::{
    model::{HostKeyPolicy, JumpHost, SshSettings},
    transport::openssh::{
        known_hosts::Names,
        paths::Paths,
        proxy_command::jumps_of_command,
        ssh_config::{ConfigFile, ConfigProblem, HostConfig, Keyword, Lookup, evaluate},
        time::seconds,
        tokens::Tokens,
    },
};

/// The keys OpenSSH tries by default that we can use. It begins with RSA for history's sake; the likeliest
/// one first saves attempts, which servers count.
const DEFAULT_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// The connect timeout where nobody says one. OpenSSH would wait for as long as TCP does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// All that is needed to connect. Equal destinations are the same connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    pub(super) endpoint: Endpoint,
    pub(super) names: Names,
    pub(super) accept_new: bool,
    /// `known_hosts` files, those of the user first.
    pub(super) known_hosts: Vec<PathBuf>,
    /// Where a new host key goes.
    pub(super) first_known_hosts: PathBuf,
    pub(super) identity_files: Vec<IdentityFile>,
    /// Certificates for these keys or the agent's. Where some are named, those beside keys do not count.
    pub(super) certificate_files: Vec<PathBuf>,
    /// Whether only the named identity files count, and none else of the agent's.
    pub(super) identities_only: bool,
    pub(super) agent: Option<PathBuf>,
    pub(super) timeout: Duration,
    /// The jump hosts, first hop first.
    pub(super) jumps: Vec<JumpHost>,
    /// The line of OpenSSH's configuration that names them, if one does.
    pub(super) jumps_named_in: Option<String>,
}

/// A private key file that may be tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct IdentityFile {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
}

/// Who named a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    Inventory,
    SshConfig,
    Default,
}

impl Destination {
    pub(super) fn policy(&self) -> HostKeyPolicy {
        if self.accept_new {
            HostKeyPolicy::AcceptNew
        } else {
            HostKeyPolicy::Strict
        }
    }

    /// Resolves `host` under these settings.
    pub(super) fn resolve(
        host: &str,
        settings: &SshSettings,
        paths: &Paths,
    ) -> Result<Self, ConnectError> {
        let lookup = Lookup {
            host,
            user: settings.user.as_deref(),
        };
        let resolved = evaluate(&config_files(settings, paths), lookup, paths).and_then(|config| {
            Resolver {
                host,
                settings,
                paths,
                config,
            }
            .resolve()
        });
        resolved.map_err(
            |ConfigProblem { file, line, reason }| ConnectError::Config { file, line, reason },
        )
    }
}

/// As `ssh` does: a file that is named replaces both the user's and the system's.
fn config_files(settings: &SshSettings, paths: &Paths) -> Vec<ConfigFile> {
    let user_folder = paths.home.join(".ssh");
    match &settings.config_file {
        Some(file) => vec![ConfigFile {
            path: paths.expand(file),
            folder: user_folder,
            required: true,
        }],
        None => vec![
            ConfigFile {
                path: user_folder.join("config"),
                folder: user_folder,
                required: false,
            },
            ConfigFile {
                path: paths.system_config.clone(),
                folder: paths
                    .system_config
                    .parent()
                    .unwrap_or(Path::new("/"))
                    .to_owned(),
                required: false,
            },
        ],
    }
}

struct Resolver<'a> {
    host: &'a str,
    settings: &'a SshSettings,
    paths: &'a Paths,
    config: HostConfig,
}

impl Resolver<'_> {
    fn resolve(&self) -> Result<Destination, ConfigProblem> {
        let mut tokens = Tokens {
            paths: self.paths,
            original_host: self.host.to_owned(),
            host: self.config.host_name(self.host)?,
            port: 22,
            user: self.paths.user.clone(),
            alias: None,
        };
        tokens.port = self.port()?;
        if let Some(alias) = self.config.get(Keyword::HostKeyAlias)? {
            tokens.alias = Some(alias.first().to_ascii_lowercase());
        }
        tokens.user = match (&self.settings.user, self.config.get(Keyword::User)) {
            (Some(user), _) => user.clone(),
            (None, configured) => match configured? {
                Some(user) => tokens.text(user, user.first())?,
                None => self.paths.user.clone(),
            },
        };
        self.refuse_what_is_not_supported()?;

        let (jumps, jumps_named_in) = self.jumps(&tokens)?;
        let endpoint = Endpoint {
            user: tokens.user.clone(),
            address: tokens.host.clone(),
            port: tokens.port,
            jumps: (!jumps.is_empty()).then(|| {
                let hops: Vec<_> = jumps.iter().map(ToString::to_string).collect();
                hops.join(",")
            }),
        };
        let user_known_hosts = self.user_known_hosts(&tokens)?;
        let (identity_files, identities_only) = self.identities(&tokens)?;
        Ok(Destination {
            names: Names::new(&endpoint.address, endpoint.port, tokens.alias.as_deref()),
            endpoint,
            accept_new: self.accept_new()?,
            first_known_hosts: user_known_hosts
                .first()
                .cloned()
                .unwrap_or_else(|| PathBuf::from("/dev/null")),
            known_hosts: self.with_system_known_hosts(user_known_hosts)?,
            identity_files,
            certificate_files: self.certificates(&tokens)?,
            identities_only,
            agent: self.agent(&tokens)?,
            timeout: self.timeout()?,
            jumps,
            jumps_named_in,
        })
    }

    /// What changes which host keys count.
    fn refuse_what_is_not_supported(&self) -> Result<(), ConfigProblem> {
        for (keyword, name) in [
            (Keyword::KnownHostsCommand, "KnownHostsCommand"),
            (Keyword::RevokedHostKeys, "RevokedHostKeys"),
        ] {
            if let Some(value) = self.config.get(keyword)?
                && !value.is_none()
            {
                return Err(value.problem(format!("`{name}` is not supported")));
            }
        }
        Ok(())
    }

    fn port(&self) -> Result<u16, ConfigProblem> {
        if let Some(port) = self.settings.port {
            return Ok(port);
        }
        match self.config.get(Keyword::Port)? {
            None => Ok(22),
            Some(value) => value
                .first()
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| value.problem(format!("`{}` is no port", value.first()))),
        }
    }

    fn timeout(&self) -> Result<Duration, ConfigProblem> {
        if let Some(timeout) = self.settings.connect_timeout {
            return Ok(timeout);
        }
        match self.config.get(Keyword::ConnectTimeout)? {
            None => Ok(CONNECT_TIMEOUT),
            // No limit, to OpenSSH.
            Some(value) if value.first() == "0" => Ok(CONNECT_TIMEOUT),
            Some(value) => seconds(value.first())
                .map(Duration::from_secs)
                .ok_or_else(|| value.problem(format!("`{}` is no time", value.first()))),
        }
    }

    fn accept_new(&self) -> Result<bool, ConfigProblem> {
        if let Some(policy) = self.settings.host_keys {
            return Ok(policy == HostKeyPolicy::AcceptNew);
        }
        match self.config.get(Keyword::StrictHostKeyChecking)? {
            None => Ok(false),
            Some(value) => match &*value.first().to_ascii_lowercase() {
                // `no` is taken for `accept-new`: a changed key is refused all the same.
                "no" | "off" | "false" | "accept-new" => Ok(true),
                "yes" | "true" | "ask" => Ok(false),
                _ => Err(value.problem(format!(
                    "`{}` is not a value of `StrictHostKeyChecking`",
                    value.first()
                ))),
            },
        }
    }

    fn user_known_hosts(&self, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, ConfigProblem> {
        if !self.settings.known_hosts_files.is_empty() {
            let files = self.settings.known_hosts_files.iter();
            return Ok(files.map(|file| self.paths.expand(file)).collect());
        }
        match self.config.get(Keyword::UserKnownHostsFile)? {
            Some(value) => tokens.paths(value),
            None => Ok(["known_hosts", "known_hosts2"]
                .map(|name| self.paths.home.join(".ssh").join(name))
                .into()),
        }
    }

    fn with_system_known_hosts(
        &self,
        mut files: Vec<PathBuf>,
    ) -> Result<Vec<PathBuf>, ConfigProblem> {
        // The inventory's own files stand alone, so that a run depends on nothing it does not name.
        if self.settings.known_hosts_files.is_empty() {
            files.extend(match self.config.get(Keyword::GlobalKnownHostsFile)? {
                // Without tokens, in OpenSSH as well.
                Some(value) if value.is_none() => Vec::new(),
                Some(value) => {
                    let words = value.words.iter();
                    words.map(|word| self.paths.expand(word.as_ref())).collect()
                }
                None => self.paths.system_known_hosts.clone(),
            });
        }
        Ok(files)
    }

    fn identities(&self, tokens: &Tokens<'_>) -> Result<(Vec<IdentityFile>, bool), ConfigProblem> {
        let only = match self.config.get(Keyword::IdentitiesOnly)? {
            None => false,
            Some(value) => match &*value.first().to_ascii_lowercase() {
                "yes" | "true" => true,
                "no" | "false" => false,
                word => {
                    let reason = format!("`{word}` is not a value of `IdentitiesOnly`");
                    return Err(value.problem(reason));
                }
            },
        };
        let mut files: Vec<_> = self
            .settings
            .identity_files
            .iter()
            .map(|path| IdentityFile {
                path: self.paths.expand(path),
                origin: Origin::Inventory,
            })
            .collect();
        for value in self.config.all(Keyword::IdentityFile)? {
            for path in tokens.paths(value)? {
                if files.iter().all(|file| file.path != path) {
                    files.push(IdentityFile {
                        path,
                        origin: Origin::SshConfig,
                    });
                }
            }
        }
        if files.is_empty() && self.config.get(Keyword::IdentityFile)?.is_none() {
            files.extend(DEFAULT_KEYS.iter().map(|name| IdentityFile {
                path: self.paths.home.join(".ssh").join(name),
                origin: Origin::Default,
            }));
        }
        Ok((files, only))
    }

    fn certificates(&self, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, ConfigProblem> {
        let named = self.config.all(Keyword::CertificateFile)?.iter();
        named
            .map(|value| tokens.path(value, value.first()))
            .collect()
    }

    fn agent(&self, tokens: &Tokens<'_>) -> Result<Option<PathBuf>, ConfigProblem> {
        match self.config.get(Keyword::IdentityAgent)? {
            None => Ok(self.paths.agent.clone()),
            Some(value) => match value.first() {
                "none" => Ok(None),
                "SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" => Ok(self.paths.agent.clone()),
                // Without the variable, as without the keyword.
                word if word.starts_with('$') && !word.starts_with("${") => {
                    Ok(env::var_os(&word[1..]).map(PathBuf::from))
                }
                _ => tokens.path(value, value.first()).map(Some),
            },
        }
    }

    /// The jump hosts, and the line of a file that names them.
    fn jumps(&self, tokens: &Tokens<'_>) -> Result<(Vec<JumpHost>, Option<String>), ConfigProblem> {
        if let Some(jumps) = &self.settings.proxy_jump {
            return Ok((jumps.clone(), None));
        }
        let jump = self.config.get(Keyword::ProxyJump)?;
        let (value, jumps) = match jump.filter(|value| !value.is_none()) {
            Some(value) => {
                let text = value.text.split('#').next().unwrap_or_default();
                let text = tokens.percent(value, text.trim_end())?;
                let jumps = JumpHost::parse_list(&text).map_err(|reason| value.problem(reason))?;
                (value, jumps)
            }
            None => match self.config.get(Keyword::ProxyCommand)? {
                Some(value) => {
                    let expand = |text: &str| tokens.percent(value, text);
                    (value, jumps_of_command(value, expand)?)
                }
                None => return Ok((Vec::new(), None)),
            },
        };
        let named_in = value.problem("");
        Ok((jumps, Some(place(&named_in.file, named_in.line))))
    }
}

#[cfg(test)]
#[path = "destination_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "against_ssh/mod.rs"]
mod against_ssh;
