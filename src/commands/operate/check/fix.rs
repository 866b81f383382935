//! What `shipit check --fix` does about what it has found.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    balancers::{BackendLists, CommandTarget, ListTarget, service_id},
    commands::on_hosts::routes::Answer,
    consul::AgentService,
    event::Outcome,
    hosts::{HostError, Reached, Run, Stop},
    model::{ConsulService, HostAndPort, HostName, ListedBackend},
};

/// How long a balancer that was told of a container is given until it routes to it.
pub const ROUTES: Duration = Duration::from_secs(10);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// What `--fix` does.
pub enum Fix {
    /// Deregisters a service in Consul whose container is gone.
    Deregister(AgentService),
    /// Registers a container in Consul, as its recipe says.
    Register(Box<Register>),
    /// Writes the list of a balancer.
    Write(Box<ListTarget>),
    /// Tells a balancer of a container.
    Tell(Box<Tell>),
}

/// A container that Consul is to be told of.
pub struct Register {
    /// The container.
    pub backend: ListedBackend,
    /// What its recipe says of the service.
    pub service: ConsulService,
    /// What its recipe's balancers route to now.
    pub answers: Vec<Answer>,
    /// How long they are given until they route there.
    pub within: Duration,
}

/// A container that a balancer is to be told of.
pub struct Tell {
    /// How the balancer is told.
    pub target: CommandTarget,
    /// What it routes to now.
    pub answer: Answer,
    /// The container.
    pub backend: ListedBackend,
    /// How long it is given until it routes there.
    pub within: Duration,
}

impl Fix {
    /// Does it, as found on this host; what was done, in a word.
    pub async fn apply(&self, reached: &Reached, lists: &BackendLists) -> Run<&'static str> {
        let failed = |what: String, host: &HostName, error: &HostError| {
            Stop::on_host(Outcome::Failed, what, host, error)
        };
        match self {
            Self::Deregister(service) => {
                let deregistered = reached.consul.deregister(service).await;
                deregistered.map_err(|error| {
                    let what = format!("cannot deregister `{}`", service.id);
                    failed(what, reached.name(), &HostError::Consul(error))
                })?;
                Ok("deregistered")
            }
            Self::Register(it) => {
                it.register(reached).await.map_err(|error| {
                    let what = format!("cannot register `{}`", it.backend.container);
                    failed(what, reached.name(), &error)
                })?;
                Ok("registered")
            }
            Self::Write(target) => {
                let written = lists.write(target).await;
                written.map_err(|error| {
                    let what = format!("cannot write {}", target.file.to);
                    failed(what, reached.name(), &error)
                })?;
                Ok("written")
            }
            Self::Tell(tell) => {
                tell.tell().await.map_err(|error| {
                    let what = format!(
                        "cannot tell `{}` of `{}`",
                        tell.target.recipe, tell.backend.container
                    );
                    failed(what, tell.target.reached.name(), &error)
                })?;
                Ok("told")
            }
        }
    }
}

impl Register {
    /// Registers it. It counts when the agent has it without a complaint, and the balancers route there.
    async fn register(&self, reached: &Reached) -> Result<(), HostError> {
        let (backend, agent) = (&self.backend, &reached.consul);
        let at = HostAndPort::new(&backend.address, backend.port.unwrap_or_default());
        let id = service_id(reached.name(), &backend.container);
        agent.register(&id, &self.service, &at).await?;
        let began = Instant::now();
        loop {
            let services = agent.services().await?;
            let there = services.iter().find(|it| it.service.id == id);
            let complaint = match there {
                None => Some("the agent took it, and does not have it".to_owned()),
                Some(there) => there
                    .complaint()
                    .map(|complaint| format!("Consul has it as {complaint}")),
            };
            let why = match complaint {
                Some(why) => Some(why),
                None => self.not_routed_to().await,
            };
            let Some(why) = why else {
                return Ok(());
            };
            if began.elapsed() >= self.within {
                return Err(HostError::Fact(why));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The first balancer that does not route to it.
    async fn not_routed_to(&self) -> Option<String> {
        let (address, port) = (&self.backend.address, self.backend.port.unwrap_or_default());
        for answer in &self.answers {
            let balancer = &answer.balancer;
            match routes_now(answer, address, port).await {
                Ok(true) => {}
                Ok(false) => return Some(format!("`{balancer}` does not route to it")),
                Err(error) => return Some(format!("`{balancer}` cannot be asked: {error}")),
            }
        }
        None
    }
}

impl Tell {
    /// Tells the balancer. That its command exits with 0 proves nothing: it must route to the container then.
    async fn tell(&self) -> Result<(), HostError> {
        let Self {
            target,
            answer,
            backend,
            within,
        } = self;
        target.add_once_it_answers(backend).await?;
        let port = backend.port.unwrap_or_default();
        let began = Instant::now();
        loop {
            let why = match routes_now(answer, &backend.address, port).await {
                Ok(true) => return Ok(()),
                Ok(false) => format!(
                    "`add` exited with 0, and it does not route to {}",
                    backend.endpoint()
                ),
                Err(error) => format!("it was told, and cannot be asked: {error}"),
            };
            if began.elapsed() >= *within {
                return Err(HostError::Fact(why));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether a balancer routes there when it is asked again, or why it cannot be asked.
async fn routes_now(answer: &Answer, address: &str, port: u16) -> Result<bool, String> {
    let seen = answer.again().await;
    let routes = seen
        .as_ref()
        .map_or(Ok(false), |seen| seen.routes_to(address, port));
    routes.map_err(str::to_owned)
}
