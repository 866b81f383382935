//! The agent on one host: its questions and its commands.

use std::time::Duration;

use hyper::Method;
use secrecy::ExposeSecret;

use super::{
    access::{Access, Way, percent_encode},
    error::{ConsulError, Lack},
    types::{self, AgentCheck, AgentService, Member, RaftConfiguration, ServiceInstance},
};
use crate::{
    http::{self, Question, Response, Wanted},
    model::{ConsulService, HostAndPort},
    text,
    transport::Session,
};

/// How long one answer of the agent may take. It answers in milliseconds, but some
/// requests wait for a leader while the cluster has none.
const DEADLINE: Duration = Duration::from_secs(10);

/// The most services that an agent may have at one port. Each of them is changed by a request of its own: an agent that makes
/// them up would have a rollout last for days.
const MOST_AT_ONE_PORT: usize = 16;

/// The longest reason of a refusal that is shown, in characters.
const REASON: usize = 200;

/// The header that a token goes by.
const TOKEN: &str = "x-consul-token";

/// What the token of a request must be allowed: rules of a policy. Consul's documentation of each request has them.
mod rules {
    pub const OPERATOR: &str = "operator = \"read\"";
    pub const NODES: &str = "node_prefix \"\" { policy = \"read\" }";
    pub const SERVICES: &str =
        "service_prefix \"\" { policy = \"read\" } node_prefix \"\" { policy = \"read\" }";

    pub fn changes(service: &str) -> String {
        format!("service {service:?} {{ policy = \"write\" }}")
    }
}

/// The agent on one host.
#[derive(Clone)]
pub struct Agent {
    session: Session,
    access: Access,
}

impl Agent {
    /// The agent that `session`'s host reaches, asked as `access` says.
    pub fn new(session: Session, access: Access) -> Self {
        Self { session, access }
    }

    /// Whether requests are made with a token.
    pub fn has_token(&self) -> bool {
        self.access.way().is_ok_and(|way| way.token.is_some())
    }

    fn host(&self) -> String {
        self.session.host().to_string()
    }

    async fn ask(&self, method: Method, path: &str, rules: &str) -> Result<Response, ConsulError> {
        self.send(method, path, rules, String::new()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        rules: &str,
        body: String,
    ) -> Result<Response, ConsulError> {
        let way = self.access.way().map_err(|no| ConsulError::NotAsked {
            host: self.host(),
            why: no.why.clone(),
            hint: no.hint.clone(),
        })?;
        // What is in the query says nothing of what is refused.
        let asked = path.split('?').next().unwrap_or_default();
        let request = format!("{method} {asked}");
        let response = self.answer(way, (method, path), body).await?;
        if response.is_success() {
            return Ok(response);
        }
        let body = text::cut(response.body.lines().next().unwrap_or_default(), REASON);
        let host = self.host();
        Err(match response.status {
            403 => ConsulError::Denied {
                host,
                request,
                lacks: Lack::of(&body, way.token.is_some(), rules),
                body,
            },
            status => ConsulError::Refused {
                host,
                path: path.to_owned(),
                status,
                body,
            },
        })
    }

    async fn answer(
        &self,
        way: &Way,
        (method, path): (Method, &str),
        body: String,
    ) -> Result<Response, ConsulError> {
        let address = self.access.address();
        let HostAndPort { host, port } = address;
        let tunnel = self
            .session
            .tunnel(host, *port, DEADLINE)
            .await
            .map_err(|source| ConsulError::Unreachable {
                host: self.host(),
                address: address.to_string(),
                source,
            })?;
        let token = way.token.iter();
        let question = Question {
            method,
            authority: address.to_string(),
            path: path.to_owned(),
            headers: token
                .map(|token| (TOKEN.to_owned(), token.expose_secret().to_owned()))
                .collect(),
            body,
        };
        let answer = http::ask(tunnel, &question, way.tls.as_ref(), Wanted::All, DEADLINE);
        answer.await.map_err(|source| ConsulError::NoAnswer {
            host: self.host(),
            path: path.to_owned(),
            source,
        })
    }

    /// The path of a request for services, in their namespace and partition.
    fn of_services(&self, path: &str) -> String {
        let query = self.access.way().map_or("", |way| &way.query);
        let separator = match (query.is_empty(), path.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        format!("{path}{separator}{query}")
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        rules: &str,
    ) -> Result<T, ConsulError> {
        let response = self.ask(Method::GET, path, rules).await?;
        text::parse_json(&response.body).map_err(|source| ConsulError::Unexpected {
            host: self.host(),
            path: path.to_owned(),
            source,
        })
    }

    /// The address of the cluster's leader; `None` while there is none.
    pub async fn leader(&self) -> Result<Option<String>, ConsulError> {
        let leader: String = self.get("/v1/status/leader", rules::NODES).await?;
        Ok(Some(leader).filter(|leader| !leader.is_empty()))
    }

    /// The Raft addresses of the cluster's servers, dead ones among them until they are reaped.
    pub async fn peers(&self) -> Result<Vec<String>, ConsulError> {
        self.get("/v1/status/peers", rules::NODES).await
    }

    /// How many of the cluster's servers have a vote. A server that has joined has none at first.
    pub async fn voters(&self) -> Result<usize, ConsulError> {
        let path = "/v1/operator/raft/configuration";
        let raft: RaftConfiguration = self.get(path, rules::OPERATOR).await?;
        Ok(raft.servers.iter().filter(|server| server.voter).count())
    }

    /// The members this agent knows of.
    pub async fn members(&self) -> Result<Vec<Member>, ConsulError> {
        self.get("/v1/agent/members", rules::NODES).await
    }

    /// The services registered with this agent, each with its own checks. Those that the token may not read are not
    /// among them.
    pub async fn services(&self) -> Result<Vec<ServiceInstance>, ConsulError> {
        let path = self.of_services("/v1/agent/services");
        let services: std::collections::BTreeMap<String, AgentService> =
            self.get(&path, rules::SERVICES).await?;
        let path = self.of_services("/v1/agent/checks");
        let checks: std::collections::BTreeMap<String, AgentCheck> =
            self.get(&path, rules::SERVICES).await?;
        Ok(types::join(services, &checks))
    }

    /// Those services of this agent that belong to containers with so many ports. More than they can have are an error.
    pub async fn services_of(
        &self,
        ports: usize,
        is_own: impl Fn(&ServiceInstance) -> bool,
    ) -> Result<Vec<ServiceInstance>, ConsulError> {
        let mut services = self.services().await?;
        services.retain(is_own);
        if services.len() > ports.max(1) * MOST_AT_ONE_PORT {
            return Err(ConsulError::TooMany {
                host: self.host(),
                services: services.len(),
            });
        }
        Ok(services)
    }

    /// Puts a service of this agent into maintenance mode, or takes it out: while in it a check of its
    /// own is critical, so that nobody who asks for passing instances gets it. Fine when repeated.
    pub async fn set_maintenance(
        &self,
        service: &AgentService,
        enable: bool,
        reason: &str,
    ) -> Result<(), ConsulError> {
        let path = self.of_services(&format!(
            "/v1/agent/service/maintenance/{}?enable={enable}&reason={}",
            percent_encode(&service.id),
            percent_encode(reason)
        ));
        let rules = rules::changes(&service.service);
        self.ask(Method::PUT, &path, &rules).await.map(|_| ())
    }

    /// Registers a service with this agent, as passing. One that is there already by this id takes on what is new, and
    /// keeps its maintenance mode.
    pub async fn register(
        &self,
        id: &str,
        service: &ConsulService,
        at: &HostAndPort,
    ) -> Result<(), ConsulError> {
        let path = self.of_services("/v1/agent/service/register");
        let body = types::registration(id, service, at).to_string();
        let rules = rules::changes(&service.name);
        self.send(Method::PUT, &path, &rules, body)
            .await
            .map(|_| ())
    }

    /// Takes a service away from this agent, its checks with it.
    pub async fn deregister(&self, service: &AgentService) -> Result<(), ConsulError> {
        let path = self.of_services(&format!(
            "/v1/agent/service/deregister/{}",
            percent_encode(&service.id)
        ));
        let rules = rules::changes(&service.service);
        self.ask(Method::PUT, &path, &rules).await.map(|_| ())
    }
}
