//! The keywords we know, and what the files say of them for one host.

use std::{collections::HashMap, path::PathBuf};

/// The keywords that have a meaning for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::transport) enum Keyword {
    ConnectTimeout,
    GlobalKnownHostsFile,
    HostKeyAlias,
    HostName,
    IdentitiesOnly,
    IdentityAgent,
    IdentityFile,
    Port,
    /// `ProxyJump` or `ProxyCommand`: the first of them counts, and the value is its whole line.
    Proxy,
    RevokedHostKeys,
    StrictHostKeyChecking,
    User,
    UserKnownHostsFile,
}

impl Keyword {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "connecttimeout" => Self::ConnectTimeout,
            "globalknownhostsfile" => Self::GlobalKnownHostsFile,
            "hostkeyalias" => Self::HostKeyAlias,
            "hostname" => Self::HostName,
            "identitiesonly" => Self::IdentitiesOnly,
            "identityagent" => Self::IdentityAgent,
            "identityfile" => Self::IdentityFile,
            "port" => Self::Port,
            "proxyjump" | "proxycommand" => Self::Proxy,
            "revokedhostkeys" => Self::RevokedHostKeys,
            "stricthostkeychecking" => Self::StrictHostKeyChecking,
            "user" => Self::User,
            "userknownhostsfile" => Self::UserKnownHostsFile,
            _ => return None,
        })
    }
}

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct ConfigProblem {
    pub(in crate::transport) file: PathBuf,
    /// From 1; 0 for the file as a whole.
    pub(in crate::transport) line: usize,
    pub(in crate::transport) reason: String,
}

/// The words after a keyword, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct Value {
    /// The keyword as written, for `ProxyJump` and `ProxyCommand` in lowercase.
    pub(in crate::transport) keyword: String,
    pub(in crate::transport) words: Vec<String>,
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// The condition that decides whether it counts, if we cannot tell.
    pub(super) condition: Option<String>,
}

impl Value {
    pub(in crate::transport) fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(in crate::transport) fn problem(&self, reason: impl Into<String>) -> ConfigProblem {
        ConfigProblem {
            file: self.file.clone(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

/// What the files say about one host.
#[derive(Debug, Default)]
pub(in crate::transport) struct HostConfig(HashMap<Keyword, Vec<Value>>);

impl HostConfig {
    /// The value of a keyword, or an error when an undecidable condition decides over it.
    pub(in crate::transport) fn get(
        &self,
        keyword: Keyword,
    ) -> Result<Option<&Value>, ConfigProblem> {
        Ok(self.all(keyword)?.first())
    }

    /// The first value of a keyword counts, but `IdentityFile` adds up.
    pub(super) fn add(&mut self, keyword: Keyword, value: Value) {
        let values = self.0.entry(keyword).or_default();
        if values.is_empty() || keyword == Keyword::IdentityFile {
            values.push(value);
        }
    }

    /// All values of a keyword that adds up.
    pub(in crate::transport) fn all(&self, keyword: Keyword) -> Result<&[Value], ConfigProblem> {
        let values = self.0.get(&keyword).map_or(&[][..], Vec::as_slice);
        match values.iter().find(|value| value.condition.is_some()) {
            Some(value) => Err(value.problem(format!(
                "`Match {}` sets `{}` here, and shipit does not evaluate that condition",
                value.condition.as_deref().unwrap_or_default(),
                value.keyword
            ))),
            None => Ok(values),
        }
    }
}
