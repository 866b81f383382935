//! `check`: recipes against docker against Consul against what the balancers route to.

use crate::{
    command::RemoteCommand,
    consul::ServiceInstance,
    docker::{self, Container},
    event::{EventKind, HostRow, Outcome, Severity},
    facts::routes,
    hosts::{self, Fleet, HostError, QUICK, Reached, Run, Stop, preflight},
    model::{ConsulReady, ContainerSpec, LateValues, Recipe},
    observe::{Observed, observe},
    plan::Scope,
    run::Context,
    state::lock,
    text,
};

/// Something that is not as it should be.
struct Finding {
    recipe: String,
    message: String,
    /// A service of Consul's whose container is gone: what `--fix` deregisters.
    ghost: Option<String>,
}

/// Looks at every host; with `fix`, deregisters the services whose containers are gone.
pub async fn check(context: &Context<'_>, fix: bool) -> Run<Outcome> {
    let environment = context.environment;
    let fleet = context
        .connect(&context.hosts_of(&Scope::default()))
        .await?;
    preflight::check(&fleet, context.events).await?;
    // What a deploy is just starting must not look like what is gone.
    let lock = if fix {
        Some(lock::take(context, &fleet, "check").await?)
    } else {
        None
    };
    let observed = observe(&fleet, environment, context.events).await?;
    if observed.is_before_the_first_deploy() {
        for reached in fleet.hosts() {
            let row = hosts::row(
                reached.name(),
                "ready; nothing is deployed yet",
                Severity::Good,
            );
            context.events.send(EventKind::HostState { row });
        }
        fleet.close().await;
        return Ok(Outcome::Done);
    }
    let routed = what_balancers_route_to(context, &fleet, &observed).await;
    let looked = fleet
        .each(|reached| check_host(context, reached, &observed, &routed))
        .await;
    let (mut left, mut fixed) = (0, 0);
    for (reached, findings) in looked {
        let findings = findings.map_err(|error| {
            Stop::on_host(
                Outcome::NotReady,
                format!("cannot check `{}`", reached.name()),
                reached.name(),
                &error,
            )
        })?;
        if findings.is_empty() {
            let row = hosts::row(reached.name(), "as it should be", Severity::Good);
            context.events.send(EventKind::HostState { row });
        }
        for finding in findings {
            let mut row = HostRow {
                host: reached.name().to_string(),
                recipe: Some(finding.recipe),
                release: None,
                state: finding.message,
                detail: None,
                severity: Severity::Bad,
            };
            if let (Some(id), true) = (&finding.ghost, fix) {
                reached.consul.deregister(id).await.map_err(|error| {
                    let error = HostError::Consul(error);
                    Stop::on_host(
                        Outcome::Failed,
                        format!("cannot deregister `{id}`"),
                        reached.name(),
                        &error,
                    )
                })?;
                row.detail = Some("deregistered".to_owned());
                row.severity = Severity::Notable;
                fixed += 1;
            } else {
                left += 1;
            }
            context.events.send(EventKind::HostState { row });
        }
    }
    drop(lock);
    fleet.close().await;
    if left > 0 {
        return Err(Stop::new(Outcome::Failed, format!("{} found", text::count(left, "mistake"))).hint(format!(
            "`shipit deploy {0}` brings up what is missing; `shipit check {0} --fix` deregisters what is gone",
            environment.name
        )));
    }
    Ok(if fixed > 0 {
        Outcome::Done
    } else {
        Outcome::NothingToDo
    })
}

/// What each balancer prints of its upstreams: the recipe it balances for is whoever drains through it.
async fn what_balancers_route_to(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
) -> Vec<(String, Result<String, String>)> {
    let mut printed = Vec::new();
    for recipe in &context.environment.recipes {
        for (host, on) in &recipe.on {
            let (Some(view), Some(reached)) = (&on.balancer, fleet.host(host)) else {
                continue;
            };
            let mut containers = observed.facts.serving(host, &recipe.name);
            if containers.is_empty() {
                containers.push(String::new());
            }
            for container in containers {
                let late = LateValues {
                    release: String::new(),
                    container,
                };
                let answer = match view.upstreams.render(&late) {
                    Ok(script) => reached
                        .expect(RemoteCommand::shell(script), QUICK)
                        .await
                        .map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                printed.push((recipe.name.to_string(), answer));
            }
        }
    }
    printed
}

async fn check_host(
    context: &Context<'_>,
    reached: &Reached,
    observed: &Observed,
    routed: &[(String, Result<String, String>)],
) -> Result<Vec<Finding>, HostError> {
    let mut findings = Vec::new();
    let facts = observed.facts.hosts.get(reached.name());
    for recipe in &context.environment.recipes {
        let Some(on) = recipe
            .on
            .get(reached.name())
            .filter(|on| on.container.is_some())
        else {
            continue;
        };
        let mut find = |message: String, ghost: Option<String>| {
            findings.push(Finding {
                recipe: recipe.name.to_string(),
                message,
                ghost,
            });
        };
        let containers = facts
            .map(|facts| facts.of_recipe(&recipe.name))
            .unwrap_or_default();
        let up: Vec<_> = containers
            .into_iter()
            .filter(|container| container.state.is_up())
            .collect();
        if up.len() != usize::from(on.instances) {
            let message = match (up.len(), on.instances) {
                (0, 1) => "no container runs".to_owned(),
                (up, wanted) => format!("{up} of {wanted} containers run"),
            };
            find(message, None);
        }
        let Some(ConsulReady::Service(service)) = &on.ready.consul else {
            continue;
        };
        let services = reached.consul.services().await?;
        for container in up {
            check_container(
                reached, recipe, service, container, &services, routed, &mut find,
            );
        }
        // Other environments, and others than us, may have containers under the same service name, and a
        // service that is no container of this host's, or shares its network, cannot be judged here.
        let everything = reached
            .read(docker::list_running(), docker::parse_containers)
            .await?;
        let ports: Vec<u16> = everything
            .iter()
            .flat_map(Container::tcp_host_ports)
            .collect();
        let shares_network = on
            .container
            .as_ref()
            .is_some_and(ContainerSpec::uses_host_network);
        let is_ghost = |instance: &&ServiceInstance| {
            let service_port = instance.service.port;
            instance.service.service == *service
                && instance.is_at(&reached.host.address, service_port)
                && !ports.contains(&service_port)
        };
        for ghost in services.iter().filter(|_| !shares_network).filter(is_ghost) {
            let id = &ghost.service.id;
            find(
                format!("Consul has `{id}`, whose container is gone"),
                Some(id.clone()),
            );
        }
    }
    Ok(findings)
}

fn check_container(
    reached: &Reached,
    recipe: &Recipe,
    service: &str,
    container: &Container,
    services: &[ServiceInstance],
    routed: &[(String, Result<String, String>)],
    find: &mut impl FnMut(String, Option<String>),
) {
    let address = &reached.host.address;
    if container.network_mode == "host" {
        return;
    }
    let ports = container.tcp_host_ports();
    let registered = services.iter().find(|instance| {
        instance.service.service == service
            && ports.iter().any(|port| instance.is_at(address, *port))
    });
    let Some(registered) = registered else {
        find(
            format!(
                "`{}` runs, but Consul's agent has no `{service}` for it",
                container.name
            ),
            None,
        );
        return;
    };
    if let Some(complaint) = registered.complaint() {
        find(
            format!("Consul has `{}` as {complaint}", container.name),
            None,
        );
        return;
    }
    let port = registered.service.port;
    for name in recipe.drain.iter().flat_map(|drain| &drain.balancers) {
        for (_, answer) in routed.iter().filter(|(balancer, _)| *balancer == **name) {
            match answer {
                Ok(printed) if routes::routes_to(printed, address, port) => {}
                Ok(_) => find(
                    format!(
                        "`{name}` does not route to `{}` ({address}:{port})",
                        container.name
                    ),
                    None,
                ),
                Err(error) => find(format!("`{name}` cannot be asked: {error}"), None),
            }
        }
    }
}
