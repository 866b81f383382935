//! The keywords that have a meaning for us.

/// A keyword that has a meaning for us, if only that we must refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::transport) enum Keyword {
    CanonicalizeHostname,
    CertificateFile,
    ConnectTimeout,
    GlobalKnownHostsFile,
    HostKeyAlias,
    HostName,
    IdentitiesOnly,
    IdentityAgent,
    IdentityFile,
    KnownHostsCommand,
    Port,
    ProxyCommand,
    ProxyJump,
    RevokedHostKeys,
    StrictHostKeyChecking,
    Tag,
    User,
    UserKnownHostsFile,
}

impl Keyword {
    /// By its name in lowercase.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "canonicalizehostname" => Self::CanonicalizeHostname,
            "certificatefile" => Self::CertificateFile,
            "connecttimeout" => Self::ConnectTimeout,
            "globalknownhostsfile" => Self::GlobalKnownHostsFile,
            "hostkeyalias" => Self::HostKeyAlias,
            "hostname" => Self::HostName,
            "identitiesonly" => Self::IdentitiesOnly,
            "identityagent" => Self::IdentityAgent,
            "identityfile" => Self::IdentityFile,
            "knownhostscommand" => Self::KnownHostsCommand,
            "port" => Self::Port,
            "proxycommand" => Self::ProxyCommand,
            "proxyjump" => Self::ProxyJump,
            "revokedhostkeys" => Self::RevokedHostKeys,
            "stricthostkeychecking" => Self::StrictHostKeyChecking,
            "tag" => Self::Tag,
            "user" => Self::User,
            "userknownhostsfile" => Self::UserKnownHostsFile,
            _ => return None,
        })
    }

    /// Whether all its values count, not only the first.
    pub(super) fn adds_up(self) -> bool {
        matches!(self, Self::CertificateFile | Self::IdentityFile)
    }

    /// Whether its value is one word.
    pub(super) fn takes_one_word(self) -> bool {
        !matches!(
            self,
            Self::GlobalKnownHostsFile
                | Self::KnownHostsCommand
                | Self::ProxyCommand
                | Self::ProxyJump
                | Self::RevokedHostKeys
                | Self::UserKnownHostsFile
        )
    }
}
