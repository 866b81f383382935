//! What is not as it should be on one host: recipes against docker against Consul against what the
//! balancers route to.

use super::{
    confirmed::is_confirmed,
    fix::{Fix, ROUTES, Register, Tell},
};
use crate::{
    balancers::ListTarget,
    commands::on_hosts::routes::Answer,
    consul::ServiceInstance,
    docker::{self, Container},
    facts::{
        Facts,
        backends::{ListFile, list_files, listed},
        routes::routes_to,
    },
    hosts::{HostError, Reached},
    model::{
        ContainerSpec, Environment, HostAndPort, HostRecipe, LateValues, ListedBackend, Recipe,
    },
    observe::Observed,
    text,
};

/// Something that is not as it should be.
pub struct Finding {
    /// The recipe that it is about.
    pub recipe: String,
    /// What is wrong.
    pub message: String,
    /// What `--fix` does about it.
    pub fix: Option<Fix>,
}

impl Finding {
    fn new(recipe: &Recipe, message: String) -> Self {
        Self {
            recipe: recipe.name.to_string(),
            message,
            fix: None,
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
        // Where a deploy was cut off there are more, of which one may be out on purpose, or there is one that nobody has
        // found ready yet: the next deploy's to settle.
        let are_settled = up.len() <= usize::from(on.instances);
        let may_tell =
            |it: &Container| are_settled && is_confirmed(observed, reached.name(), recipe, it);
        let Some(service) = on.consul_service() else {
            let unrouted = up
                .into_iter()
                .flat_map(|it| unrouted(reached, recipe, it, answers, may_tell(it)));
            findings.extend(unrouted);
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
            let found = in_consul(
                (reached, recipe, on),
                container,
                services,
                answers,
                may_tell(container),
            );
            findings.extend(found);
        }
        findings.extend(stale(reached, recipe, on, service, services, seen));
    }
    Ok(findings)
}

/// The files with backends on a host that are not as what runs wants them.
pub fn wrong_lists(
    environment: &Environment,
    reached: &Reached,
    observed: &Observed,
    active: &[ListedBackend],
) -> Vec<Finding> {
    let files = list_files(environment, &observed.facts);
    let here = files.iter().filter(|file| file.host == *reached.name());
    here.filter_map(|file| wrong_list(file, reached, &observed.facts, active))
        .collect()
}

fn wrong_list(
    found: &ListFile<'_>,
    reached: &Reached,
    facts: &Facts,
    active: &[ListedBackend],
) -> Option<Finding> {
    let ListFile {
        recipe,
        container,
        file,
        now,
        ..
    } = found;
    let to = &file.to;
    let message = match (file.render(active, &[]), now) {
        (Err(error), _) => return Some(Finding::new(recipe, error.to_string())),
        (Ok(wanted), Some(now)) if wanted == *now => return None,
        (Ok(_), None) => format!("{to} is not there"),
        (Ok(_), Some(now)) => {
            let own = active
                .iter()
                .filter(|one| file.recipes.contains(&one.recipe));
            let missing = own.filter(|one| {
                let port = one.port.unwrap_or_default();
                !routes_to(now, &one.address, port)
            });
            let missing: Vec<_> = missing
                .map(|one| format!("{} (`{}`)", one.endpoint(), one.container))
                .collect();
            if missing.is_empty() {
                format!("{to} is not as what runs wants it")
            } else {
                format!("{to} lacks {}", missing.join(", "))
            }
        }
    };
    let container = container.clone().unwrap_or_else(|| recipe.name.to_string());
    let target = ListTarget {
        recipe: recipe.name.clone(),
        reached: reached.clone(),
        file: (*file).clone(),
        late: LateValues {
            release: String::new(),
            image: facts.image_of(reached.name(), &container),
            container,
        },
    };
    Some(Finding {
        fix: Some(Fix::Write(Box::new(target))),
        ..Finding::new(recipe, message)
    })
}

/// What is asked once on a host, for all its recipes.
struct Seen {
    /// What its Consul agent has, or why that cannot be asked.
    services: Result<Vec<ServiceInstance>, String>,
    /// The ports of every container that runs: other environments, and others than shipit, may have containers
    /// under the same service name.
    ports: Vec<u16>,
    /// Whether docker is about to start one again, which has no port until then.
    restarts: bool,
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
            restarts: running.iter().any(|it| it.state.restarting),
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

/// Whether Consul has a container passing, and the balancers route to it. Consul may be told of it with `may_tell`.
fn in_consul(
    (reached, recipe, on): (&Reached, &Recipe, &HostRecipe),
    container: &Container,
    services: &[ServiceInstance],
    answers: &[Answer],
    may_tell: bool,
) -> Vec<Finding> {
    // It has no ports of its own to be looked up by.
    if container.uses_host_network() {
        return Vec::new();
    }
    let name = &container.name;
    let service = on.consul_service().unwrap_or_default();
    let address = &reached.host.address;
    let ports = container.ports.on_host(address);
    let registered = services.iter().find(|instance| {
        instance.service.service == service
            && ports.iter().any(|port| instance.is_at(address, *port))
    });
    let Some(registered) = registered else {
        let message = format!("`{name}` runs, but Consul's agent has no `{service}` for it");
        let backend = listed(recipe, &reached.host, container);
        let service = on.register.clone();
        let service = service.filter(|_| may_tell && backend.port.is_some());
        let fix = service.map(|service| {
            let answers = of_recipe(recipe, answers).cloned().collect();
            Fix::Register(Box::new(Register {
                backend,
                service,
                answers,
                within: ROUTES,
            }))
        });
        return vec![Finding {
            fix,
            ..Finding::new(recipe, message)
        }];
    };
    if let Some(complaint) = registered.complaint() {
        let message = format!("Consul has `{name}` as {complaint}");
        return vec![Finding::new(recipe, message)];
    }
    let backend = ListedBackend {
        port: Some(registered.service.port),
        ..listed(recipe, &reached.host, container)
    };
    not_routed_to(recipe, &backend, answers, false)
}

/// Whether the balancers route to a container that Consul does not tell them of. They may be told of it with `may_tell`.
fn unrouted(
    reached: &Reached,
    recipe: &Recipe,
    container: &Container,
    answers: &[Answer],
    may_tell: bool,
) -> Vec<Finding> {
    let is_told = recipe.drain.as_ref().is_some_and(|drain| drain.is_told);
    let backend = listed(recipe, &reached.host, container);
    if !is_told || backend.port.is_none() {
        return Vec::new();
    }
    not_routed_to(recipe, &backend, answers, may_tell)
}

/// What the balancers of a recipe have answered.
fn of_recipe<'a>(recipe: &'a Recipe, answers: &'a [Answer]) -> impl Iterator<Item = &'a Answer> {
    let balancers = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    balancers.flat_map(move |balancer| {
        let mine = answers.iter();
        mine.filter(move |answer| answer.balancer == *balancer)
    })
}

/// The balancers of a recipe that do not route to one of its containers.
fn not_routed_to(
    recipe: &Recipe,
    backend: &ListedBackend,
    answers: &[Answer],
    may_tell: bool,
) -> Vec<Finding> {
    let asked = of_recipe(recipe, answers);
    let port = backend.port.unwrap_or_default();
    let findings = asked.filter_map(|answer| {
        let balancer = &answer.balancer;
        match answer.routes_to(&backend.address, port) {
            Ok(true) => None,
            Ok(false) => {
                let message = format!(
                    "`{balancer}` does not route to `{}` ({})",
                    backend.container,
                    HostAndPort::new(&backend.address, port)
                );
                let target = answer.target().filter(|_| may_tell);
                let tell = target.map(|target| Tell {
                    target,
                    answer: answer.clone(),
                    backend: backend.clone(),
                    within: ROUTES,
                });
                Some(Finding {
                    fix: tell.map(|tell| Fix::Tell(Box::new(tell))),
                    ..Finding::new(recipe, message)
                })
            }
            Err(error) => {
                let message = format!("`{balancer}` cannot be asked: {error}");
                Some(Finding::new(recipe, message))
            }
        }
    });
    findings.collect()
}

/// The services in Consul whose container is gone.
fn stale(
    reached: &Reached,
    recipe: &Recipe,
    on: &HostRecipe,
    service: &str,
    services: &[ServiceInstance],
    Seen {
        ports, restarts, ..
    }: &Seen,
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
            if *restarts {
                let message =
                    format!("Consul has `{id}`, whose container is gone or is being restarted");
                return Finding::new(recipe, message);
            }
            let message = format!("Consul has `{id}`, whose container is gone");
            Finding {
                fix: Some(Fix::Deregister(instance.service.clone())),
                ..Finding::new(recipe, message)
            }
        })
        .collect()
}
