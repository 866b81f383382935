//! What is not as it should be on one host: recipes against docker against Consul against what the
//! balancers route to.

use crate::{
    commands::on_hosts::routes::Answer,
    consul::ServiceInstance,
    docker::{self, Container},
    hosts::{HostError, Reached},
    model::{ConsulReady, ContainerSpec, Environment, HostAndPort, HostRecipe, Recipe},
    observe::Observed,
    text,
};

/// Something that is not as it should be.
pub struct Finding {
    /// The recipe that it is about.
    pub recipe: String,
    /// What is wrong.
    pub message: String,
    /// The id of a service in Consul whose container is gone: what `--fix` deregisters.
    pub stale_service: Option<String>,
}

impl Finding {
    fn new(recipe: &Recipe, message: String) -> Self {
        Self {
            recipe: recipe.name.to_string(),
            message,
            stale_service: None,
        }
    }
}

/// Everything that is not as it should be on a host.
pub async fn find(
    environment: &Environment,
    reached: &Reached,
    observed: &Observed,
    answers: &[Answer],
) -> Result<Vec<Finding>, HostError> {
    let mut findings = Vec::new();
    let mut seen = None;
    let facts = observed.facts.hosts.get(reached.name());
    for recipe in &environment.recipes {
        let on = recipe.by_host.get(reached.name());
        let Some(on) = on.filter(|on| on.container.is_some()) else {
            continue;
        };
        let containers = facts
            .map(|facts| facts.of_recipe(&recipe.name))
            .unwrap_or_default();
        let up: Vec<_> = containers
            .into_iter()
            .filter(|container| container.state.is_up())
            .collect();
        let stopped = observed.history.stopped(reached.name(), &recipe.name);
        if stopped.is_none() || !up.is_empty() {
            findings.extend(missing(recipe, on, up.len()));
        }
        let Some(ConsulReady::Service(service)) = &on.ready.consul else {
            continue;
        };
        let seen = match &mut seen {
            Some(seen) => seen,
            unseen => unseen.insert(Seen::on(reached).await?),
        };
        let services = match &seen.services {
            Ok(services) => services,
            Err(why) => {
                findings.push(Finding::new(
                    recipe,
                    format!("Consul cannot be asked: {why}"),
                ));
                continue;
            }
        };
        for container in up {
            findings.extend(in_consul(
                reached, recipe, service, container, services, answers,
            ));
        }
        findings.extend(stale(reached, recipe, on, service, services, &seen.ports));
    }
    Ok(findings)
}

/// What is asked once on a host, for all its recipes.
struct Seen {
    /// What its Consul agent has, or why that cannot be asked.
    services: Result<Vec<ServiceInstance>, String>,
    /// The ports of every container that runs: other environments, and others than shipit, may have containers
    /// under the same service name.
    ports: Vec<u16>,
}

impl Seen {
    async fn on(reached: &Reached) -> Result<Self, HostError> {
        let services = reached.consul.services().await;
        let running = reached
            .read(docker::list_running(), docker::parse_containers)
            .await?;
        let address = &reached.host.address;
        let ports = running.iter().flat_map(|it| it.ports.on_host(address));
        Ok(Self {
            services: services.map_err(|error| text::chain(&error).join(": ")),
            ports: ports.collect(),
        })
    }
}

fn missing(recipe: &Recipe, on: &HostRecipe, up: usize) -> Option<Finding> {
    let message = match (up, on.instances) {
        (up, wanted) if up == usize::from(wanted) => return None,
        (0, 1) => "no container runs".to_owned(),
        (up, wanted) => format!("{up} of {wanted} containers run"),
    };
    Some(Finding::new(recipe, message))
}

/// Whether Consul has a container passing, and the balancers route to it.
fn in_consul(
    reached: &Reached,
    recipe: &Recipe,
    service: &str,
    container: &Container,
    services: &[ServiceInstance],
    answers: &[Answer],
) -> Vec<Finding> {
    // It has no ports of its own to be looked up by.
    if container.uses_host_network() {
        return Vec::new();
    }
    let name = &container.name;
    let address = &reached.host.address;
    let ports = container.ports.on_host(address);
    let registered = services.iter().find(|instance| {
        instance.service.service == service
            && ports.iter().any(|port| instance.is_at(address, *port))
    });
    let Some(registered) = registered else {
        let message = format!("`{name}` runs, but Consul's agent has no `{service}` for it");
        return vec![Finding::new(recipe, message)];
    };
    if let Some(complaint) = registered.complaint() {
        let message = format!("Consul has `{name}` as {complaint}");
        return vec![Finding::new(recipe, message)];
    }
    let port = registered.service.port;
    let balancers = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    let asked = balancers.flat_map(|balancer| {
        answers
            .iter()
            .filter(move |answer| answer.balancer == *balancer)
    });
    asked
        .filter_map(|answer| {
            let balancer = &answer.balancer;
            match answer.routes_to(address, port) {
                Ok(true) => None,
                Ok(false) => Some(format!(
                    "`{balancer}` does not route to `{name}` ({})",
                    HostAndPort::new(address, port)
                )),
                Err(error) => Some(format!("`{balancer}` cannot be asked: {error}")),
            }
        })
        .map(|message| Finding::new(recipe, message))
        .collect()
}

/// The services in Consul whose container is gone.
fn stale(
    reached: &Reached,
    recipe: &Recipe,
    on: &HostRecipe,
    service: &str,
    services: &[ServiceInstance],
    ports: &[u16],
) -> Vec<Finding> {
    // On its host's network a service is not known by a published port.
    let container = on.container.as_ref();
    if container.is_some_and(ContainerSpec::uses_host_network) {
        return Vec::new();
    }
    let is_stale = |instance: &&ServiceInstance| {
        let port = instance.service.port;
        instance.service.service == service
            && instance.is_at(&reached.host.address, port)
            && !ports.contains(&port)
    };
    services
        .iter()
        .filter(is_stale)
        .map(|instance| {
            let id = &instance.service.id;
            let message = format!("Consul has `{id}`, whose container is gone");
            Finding {
                stale_service: Some(id.clone()),
                ..Finding::new(recipe, message)
            }
        })
        .collect()
}
