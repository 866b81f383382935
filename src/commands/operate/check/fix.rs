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
    Register(Box<(ListedBackend, ConsulService)>),
    /// Writes the list of a balancer.
    Write(Box<ListTarget>),
    /// Tells a balancer of a container.
    Tell(Box<Tell>),
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
                let (backend, service) = &**it;
                let at = HostAndPort::new(&backend.address, backend.port.unwrap_or_default());
                let id = service_id(reached.name(), &backend.container);
                let registered = reached.consul.register(&id, service, &at).await;
                registered.map_err(|error| {
                    let what = format!("cannot register `{}`", backend.container);
                    failed(what, reached.name(), &HostError::Consul(error))
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
            let seen = answer.again().await;
            let routes = seen
                .as_ref()
                .map_or(Ok(false), |seen| seen.routes_to(&backend.address, port));
            let why = match routes {
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
