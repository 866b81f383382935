//! Why Consul's agent on a host did not do what it was asked.

use crate::{command::typed, http::HttpError, transport::SessionError};

/// Why the agent did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ConsulError {
    /// This run may not ask it.
    #[error("Consul's agent on `{host}` was not asked: {why}")]
    NotAsked {
        /// The host it runs on.
        host: String,
        /// Why not.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The tunnel to it could not be opened: it does not listen, or sshd forbids forwarding.
    #[error("cannot reach Consul's agent at {address} from `{host}`")]
    Unreachable {
        /// The host it should run on.
        host: String,
        /// Where it should listen.
        address: String,
        /// Why not.
        source: SessionError,
    },
    /// It broke off or did not answer.
    #[error("Consul's agent on `{host}` did not answer {path}")]
    NoAnswer {
        /// The host it runs on.
        host: String,
        /// What was asked.
        path: String,
        /// Why not.
        source: HttpError,
    },
    /// Whoever has this token, or none, may not ask that.
    #[error("Consul's agent on `{host}` refused {request}: 403 {body}")]
    Denied {
        /// The host it runs on.
        host: String,
        /// Method and path.
        request: String,
        /// Its first line of reason.
        body: String,
        /// What is missing.
        lacks: Lack,
    },
    /// It refused.
    #[error("Consul's agent on `{host}` answered {path} with {status}: {body}")]
    Refused {
        /// The host it runs on.
        host: String,
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// Its first line of reason.
        body: String,
    },
    /// It says that containers have more services than anybody registers.
    #[error(
        "Consul's agent on `{host}` says that {services} of its services are at a container's port"
    )]
    TooMany {
        /// The host it runs on.
        host: String,
        /// How many.
        services: usize,
    },
    /// It answered something else than its documentation says.
    #[error("Consul's agent on `{host}` answered {path} with something unexpected")]
    Unexpected {
        /// The host it runs on.
        host: String,
        /// What was asked.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// What a request lacks that Consul's ACLs have refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The files name no token, and nobody may ask that without one.
    Token {
        /// The rules that a token needs.
        rules: String,
    },
    /// Consul does not know the token.
    KnownToken,
    /// The token's policies do not have these rules.
    Rules {
        /// The rules.
        rules: String,
    },
}

impl Lack {
    /// What Consul's reason means. Consul says `ACL not found` of a token that it does not know.
    pub(super) fn of(body: &str, has_token: bool, rules: &str) -> Self {
        let rules = rules.to_owned();
        if !has_token {
            Self::Token { rules }
        } else if body.contains("ACL not found") || body.contains("token does not exist") {
            Self::KnownToken
        } else {
            Self::Rules { rules }
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::KnownToken => {
                "the value of `[consul] token` is no SecretID that this cluster knows: \
                `consul acl token list` shows its tokens"
                    .to_owned()
            }
            Self::Token { rules } => format!(
                "Consul's ACLs ask for a token with `{rules}`: name its source under [consul], \
                for instance `token = {{ env = \"CONSUL_HTTP_TOKEN\" }}`"
            ),
            Self::Rules { rules } => {
                let create = typed("consul acl policy create -name shipit -rules", [rules]);
                // The agent, and so its host, has named the service.
                let caution = if rules.starts_with("service \"") {
                    "if that service is this project's, "
                } else {
                    ""
                };
                format!(
                    "{caution}the token of [consul] needs the rule `{rules}`: `{create}`, then \
                    `consul acl token update -merge-policies -policy-name shipit -id ACCESSOR`"
                )
            }
        }
    }
}

impl ConsulError {
    /// What to type, where the connection to the host, TLS or the token is at fault.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAsked { hint, .. } => hint.clone(),
            Self::Unreachable { source, .. } => source.hint(),
            Self::NoAnswer {
                source: HttpError::Tls(_),
                ..
            } => Some(
                "see `scheme`, `address`, `ca_file` and `server_name` under [consul]; Consul's port for HTTPS is mostly 8501"
                    .to_owned(),
            ),
            Self::Denied { lacks, .. } => Some(lacks.hint()),
            // The words of Go's server, which Consul is.
            Self::Refused { body, .. } if body.contains("HTTP request to an HTTPS server") => {
                Some("add `scheme = \"https\"` under [consul]".to_owned())
            }
            Self::NoAnswer { .. }
            | Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::Unexpected { .. } => None,
        }
    }

    /// Whether the host itself could not be reached any more.
    pub fn is_host_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_unreachable())
    }
}
