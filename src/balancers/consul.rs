//! Balancers that follow Consul: a container is taken out by its services' maintenance mode in the agent of its
//! own host, and each balancer is asked for its upstreams.

use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};

use super::{
    Backend, Upstreams,
    maintenance::{MAINTENANCE, is_own_maintenance, operator_maintenance},
    router::{Answer, Registration, RequestRouter, Rotation, Routes},
};
use crate::{
    consul::ServiceInstance,
    hosts::HostError,
    model::{ConsulService, HostAndPort, HostName, Recipe},
};

/// The containers of one recipe that Consul has.
pub(super) struct ConsulRouter {
    /// The recipe.
    pub recipe: Recipe,
    /// Every balancer of the recipe's `[drain]`.
    pub balancers: Vec<Upstreams>,
}

impl RequestRouter for ConsulRouter {
    fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
        stream::iter(&self.balancers)
            .filter_map(Upstreams::ask)
            .boxed()
    }

    /// They learn of them from Consul, and Consul from whoever registers them.
    fn put_in<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        self.register(backends).boxed()
    }

    fn take_out<'a>(
        &'a self,
        backends: &'a mut [Backend],
        reason: &'a str,
    ) -> Answer<'a, Vec<String>> {
        take_out(backends, reason).boxed()
    }

    /// By others it is registered a moment after it has started, and passes when its check has run for the first time.
    fn hold<'a>(&'a self, backends: &'a [Backend], reason: &'a str) -> Answer<'a, bool> {
        async move {
            let mut all = true;
            for backend in backends {
                all &= hold(backend, reason).await? || self.service(backend).is_some();
            }
            Ok(all)
        }
        .boxed()
    }

    fn put_back<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        put_back(backends).boxed()
    }

    fn registrations<'a>(&'a self, backend: &'a Backend) -> Answer<'a, Vec<Registration>> {
        async {
            let services = services_of(backend).await?;
            Ok(services.into_iter().map(registration).collect())
        }
        .boxed()
    }

    /// Whoever registers them takes note of that.
    fn forget<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        let own = backends.iter().filter(|it| self.service(it).is_some());
        let own: Vec<_> = own.cloned().collect();
        async move { deregister(&own).await }.boxed()
    }

    fn deregister<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        deregister(backends).boxed()
    }
}

impl ConsulRouter {
    /// What shipit registers of a container.
    fn service(&self, backend: &Backend) -> Option<&ConsulService> {
        let on = self.recipe.by_host.get(backend.host.name())?;
        on.register.as_ref()
    }

    async fn register(&self, backends: &[Backend]) -> Result<(), HostError> {
        for backend in backends {
            if let Some(service) = self.service(backend) {
                register(backend, service).await?;
            }
        }
        Ok(())
    }
}

/// The id of a service that shipit registers. Several hosts may ask the same agent.
pub fn service_id(host: &HostName, container: &str) -> String {
    format!("{host}:{container}")
}

/// Registers a container in the agent of its host.
async fn register(backend: &Backend, service: &ConsulService) -> Result<(), HostError> {
    let Some(port) = backend.port else {
        let lack = Backend::lack_of_ports(std::slice::from_ref(backend));
        return lack.map_or(Ok(()), Err);
    };
    let at = HostAndPort::new(backend.address(), port);
    let Backend {
        host, container, ..
    } = backend;
    let id = service_id(host.name(), container);
    Ok(host.consul.register(&id, service, &at).await?)
}

async fn take_out(backends: &mut [Backend], reason: &str) -> Result<Vec<String>, HostError> {
    let reason = format!("{MAINTENANCE}{reason}");
    let mut warnings = Vec::new();
    for backend in backends {
        let services = services_of(backend).await?;
        let agent = &backend.host.consul;
        for service in &services {
            agent
                .set_maintenance(&service.service, true, &reason)
                .await?;
        }
        if services.is_empty() && backend.is_up {
            warnings.push(format!(
                "Consul's agent has no service for `{}`, so it cannot be taken out of rotation",
                backend.container
            ));
        }
        backend.service_ids = services.into_iter().map(|it| it.service.id).collect();
    }
    Ok(warnings)
}

/// Takes the services of one container out that are not; whether there are any.
async fn hold(backend: &Backend, reason: &str) -> Result<bool, HostError> {
    let reason = format!("{MAINTENANCE}{reason}");
    let services = services_of(backend).await?;
    for service in services.iter().filter(|it| it.maintenance().is_none()) {
        let agent = &backend.host.consul;
        agent
            .set_maintenance(&service.service, true, &reason)
            .await?;
    }
    Ok(!services.is_empty())
}

async fn put_back(backends: &[Backend]) -> Result<(), HostError> {
    for backend in backends {
        for service in services_of(backend).await? {
            if is_own_maintenance(&service) {
                let agent = &backend.host.consul;
                agent.set_maintenance(&service.service, false, "").await?;
            }
        }
    }
    Ok(())
}

async fn deregister(backends: &[Backend]) -> Result<(), HostError> {
    for backend in backends {
        for service in services_of(backend).await? {
            backend.host.consul.deregister(&service.service).await?;
        }
    }
    Ok(())
}

/// The services of one container in its host's agent: found by address and port, and by the id only
/// where shipit gives it.
async fn services_of(backend: &Backend) -> Result<Vec<ServiceInstance>, HostError> {
    let is_own = |service: &ServiceInstance| {
        let mut ports = backend.ports.iter();
        backend.service_ids.contains(&service.service.id)
            // Of a container that docker is about to start again, which has no port meanwhile.
            || service.service.id == service_id(backend.host.name(), &backend.container)
            || ports.any(|(_, port)| service.is_at(backend.address(), *port))
    };
    let agent = &backend.host.consul;
    Ok(agent.services_of(backend.ports.len(), is_own).await?)
}

fn registration(service: ServiceInstance) -> Registration {
    let rotation = if let Some(reason) = operator_maintenance(&service) {
        Rotation::OutByOperator(reason.to_owned())
    } else if is_own_maintenance(&service) {
        Rotation::OutByDeploy
    } else {
        Rotation::In
    };
    Registration {
        complaint: service.complaint_but_maintenance(),
        port: service.service.port,
        rotation,
        id: service.service.id,
        service: service.service.service,
    }
}
