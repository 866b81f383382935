//! The agent on one host: its questions, its commands, and why they fail.

use std::{fmt::Write as _, time::Duration};

use hyper::Method;

use super::types::{self, AgentCheck, AgentService, Member, RaftConfiguration, ServiceInstance};
use crate::{
    http::{self, HttpError, Response, Wanted},
    model::HostAndPort,
    text,
    transport::{Session, SessionError},
};

/// How long one answer of the agent may take. It answers in milliseconds, but some
/// requests wait for a leader while the cluster has none.
const DEADLINE: Duration = Duration::from_secs(10);

/// The longest reason of a refusal that is shown, in characters.
const REASON: usize = 200;

/// The agent on one host.
#[derive(Clone)]
pub struct Agent {
    session: Session,
    address: HostAndPort,
}

/// Why the agent did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ConsulError {
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

impl ConsulError {
    /// What to type, where the connection to the host is at fault.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { source, .. } => source.hint(),
            _ => None,
        }
    }

    /// Whether the host itself could not be reached any more.
    pub fn is_host_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_unreachable())
    }
}

impl Agent {
    /// The agent that `session`'s host reaches at `address`.
    pub fn new(session: Session, address: HostAndPort) -> Self {
        Self { session, address }
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Response, ConsulError> {
        let HostAndPort { host, port } = &self.address;
        let authority = self.address.to_string();
        let host_name = || self.session.host().to_string();
        let tunnel = self
            .session
            .tunnel(host, *port, DEADLINE)
            .await
            .map_err(|source| ConsulError::Unreachable {
                host: host_name(),
                address: authority.clone(),
                source,
            })?;
        let response = http::request(tunnel, &authority, method, path, Wanted::All, DEADLINE)
            .await
            .map_err(|source| ConsulError::NoAnswer {
                host: host_name(),
                path: path.to_owned(),
                source,
            })?;
        if response.is_success() {
            return Ok(response);
        }
        let body = text::cut(response.body.lines().next().unwrap_or_default(), REASON);
        Err(ConsulError::Refused {
            host: host_name(),
            path: path.to_owned(),
            status: response.status,
            body,
        })
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ConsulError> {
        let response = self.ask(Method::GET, path).await?;
        text::parse_json(&response.body).map_err(|source| ConsulError::Unexpected {
            host: self.session.host().to_string(),
            path: path.to_owned(),
            source,
        })
    }

    /// The address of the cluster's leader; `None` while there is none.
    pub async fn leader(&self) -> Result<Option<String>, ConsulError> {
        let leader: String = self.get("/v1/status/leader").await?;
        Ok(Some(leader).filter(|leader| !leader.is_empty()))
    }

    /// The Raft addresses of the cluster's servers, dead ones among them until they are reaped.
    pub async fn peers(&self) -> Result<Vec<String>, ConsulError> {
        self.get("/v1/status/peers").await
    }

    /// How many of the cluster's servers have a vote. A server that has joined has none at first.
    pub async fn voters(&self) -> Result<usize, ConsulError> {
        let raft: RaftConfiguration = self.get("/v1/operator/raft/configuration").await?;
        Ok(raft.servers.iter().filter(|server| server.voter).count())
    }

    /// The members this agent knows of.
    pub async fn members(&self) -> Result<Vec<Member>, ConsulError> {
        self.get("/v1/agent/members").await
    }

    /// The services registered with this agent, each with its own checks.
    pub async fn services(&self) -> Result<Vec<ServiceInstance>, ConsulError> {
        let services: std::collections::BTreeMap<String, AgentService> =
            self.get("/v1/agent/services").await?;
        let checks: std::collections::BTreeMap<String, AgentCheck> =
            self.get("/v1/agent/checks").await?;
        Ok(types::join(services, &checks))
    }

    /// Puts a service of this agent into maintenance mode, or takes it out: while in it a check of its
    /// own is critical, so that nobody who asks for passing instances gets it. Fine when repeated.
    pub async fn set_maintenance(
        &self,
        service_id: &str,
        enable: bool,
        reason: &str,
    ) -> Result<(), ConsulError> {
        let path = format!(
            "/v1/agent/service/maintenance/{}?enable={enable}&reason={}",
            percent_encode(service_id),
            percent_encode(reason)
        );
        self.ask(Method::PUT, &path).await.map(|_| ())
    }

    /// Takes a service away from this agent, its checks with it.
    pub async fn deregister(&self, service_id: &str) -> Result<(), ConsulError> {
        let path = format!(
            "/v1/agent/service/deregister/{}",
            percent_encode(service_id)
        );
        self.ask(Method::PUT, &path).await.map(|_| ())
    }
}

/// Encodes one segment of a path or value of a query (RFC 3986, section 2.3: what is unreserved stays).
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_ids_keep_their_colons_encoded() {
        assert_eq!(
            percent_encode("host-1:web-r42:5000"),
            "host-1%3Aweb-r42%3A5000"
        );
        assert_eq!(percent_encode("a b/é"), "a%20b%2F%C3%A9");
    }
}
