//! What a preview has beside its containers and its records, and what goes with it: services in Consul, volumes.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    balancers::service_id,
    consul::ServiceInstance,
    docker::{self, Container},
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, progress},
    model::{Environment, HostName, Name, Recipe},
    observe::Observed,
    run::Context,
};

/// How long whoever has registered a container may take to see that it is gone.
const SOON: Duration = Duration::from_secs(10);

/// How often Consul is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(250);

/// The ids of the services of an environment's containers, by the host whose agent has them.
pub type Services = BTreeMap<HostName, Vec<String>>;

/// Looks up the services of all containers, while they run: later their ports no longer tell them.
pub async fn services_of(
    environment: &Environment,
    fleet: &Fleet,
    observed: &Observed,
) -> (Services, Vec<HostFailure>) {
    // No other agent is asked: whoever listens there instead of one would be given the token.
    let is_in_consul = |container: &&Container| {
        let of = container.identity().map(|identity| identity.recipe);
        let mut recipes = environment.recipes.iter();
        recipes.any(|it| it.is_registered() && of.as_deref() == Some(&*it.name))
    };
    let is_in_consul = &is_in_consul;
    let asked = fleet.each(|reached| async move {
        let facts = observed.facts.hosts.get(reached.name());
        let containers = facts.into_iter().flat_map(|facts| &facts.containers);
        let address = &reached.host.address;
        let ports: Vec<_> = containers
            .filter(|container| container.state.running)
            .filter(is_in_consul)
            .flat_map(|container| container.ports.on_host(address))
            .collect();
        if ports.is_empty() {
            return Ok(Vec::new());
        }
        let is_own =
            |service: &ServiceInstance| ports.iter().any(|port| service.is_at(address, *port));
        let own = reached.consul.services_of(ports.len(), is_own).await;
        let own = own.map_err(HostError::Consul)?.into_iter();
        Ok(own.map(|service| service.service.id).collect())
    });
    let (mut services, mut failures) = (Services::new(), Vec::new());
    for (reached, answer) in asked.await {
        match answer {
            Ok(ids) => drop(services.insert(reached.name().clone(), ids)),
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    (services, failures)
}

/// Takes away what shipit has registered of these recipes, while Consul and the containers' ports are there to find it.
pub async fn deregister_own(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    recipes: &[&Recipe],
) -> Vec<HostFailure> {
    let done = fleet.each(|reached| async move {
        let registered = registered_on(reached, observed, recipes);
        if registered.is_empty() {
            return Ok(());
        }
        let work = async {
            let consul = &reached.consul;
            let is_own =
                |there: &ServiceInstance| registered.iter().any(|own| own.is(reached, there));
            let places = registered.iter().map(|own| own.ports.len() + 1).sum();
            for there in consul.services_of(places, is_own).await? {
                consul.deregister(&there.service).await?;
            }
            Ok(())
        };
        let (name, step) = (reached.name(), "leave Consul");
        progress::step(context.events, name, None, step, work, |()| None).await
    });
    failures(done.await)
}

/// The service of a container, as shipit registers it.
struct OwnService<'r> {
    name: &'r str,
    /// A container that docker is about to start again has no port to find it by.
    id: String,
    ports: Vec<u16>,
}

impl OwnService<'_> {
    fn is(&self, reached: &Reached, there: &ServiceInstance) -> bool {
        let address = &reached.host.address;
        let mut ports = self.ports.iter();
        there.service.service == self.name
            && (there.service.id == self.id || ports.any(|port| there.is_at(address, *port)))
    }
}

/// The services that shipit may have registered on a host.
fn registered_on<'r>(
    reached: &Reached,
    observed: &Observed,
    recipes: &[&'r Recipe],
) -> Vec<OwnService<'r>> {
    let Some(facts) = observed.facts.hosts.get(reached.name()) else {
        return Vec::new();
    };
    let of_recipe = |recipe: &&'r Recipe| {
        let on = recipe.by_host.get(reached.name());
        let name = &on.and_then(|on| on.register.as_ref())?.name;
        let containers = facts.of_recipe(&recipe.name).into_iter();
        let own = containers.map(|container| OwnService {
            name,
            id: service_id(reached.name(), &container.name),
            ports: container
                .ports
                .on_host(&reached.host.address)
                .into_iter()
                .collect(),
        });
        Some(own.collect::<Vec<_>>())
    };
    recipes.iter().filter_map(of_recipe).flatten().collect()
}

/// Waits until Consul has none of these services, and takes away those that nobody takes away in time.
pub async fn deregister(
    context: &Context<'_>,
    fleet: &Fleet,
    services: &Services,
) -> Vec<HostFailure> {
    let done = fleet.each(|reached| async move {
        let Some(ids) = services.get(reached.name()).filter(|ids| !ids.is_empty()) else {
            return Ok(());
        };
        let work = leave_consul(reached, ids);
        let (name, step) = (reached.name(), "leave Consul");
        progress::step(context.events, name, None, step, work, |()| None).await
    });
    failures(done.await)
}

async fn leave_consul(reached: &Reached, ids: &[String]) -> Result<(), HostError> {
    let consul = &reached.consul;
    let begun = Instant::now();
    loop {
        let services = consul.services().await.map_err(HostError::Consul)?;
        let is_left = |it: &&ServiceInstance| ids.contains(&it.service.id);
        let left: Vec<_> = services.iter().filter(is_left).collect();
        if left.is_empty() {
            return Ok(());
        }
        if begun.elapsed() >= SOON {
            for service in left {
                let gone = consul.deregister(&service.service).await;
                gone.map_err(HostError::Consul)?;
            }
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Removes the volumes that only a preview has: those with its name before theirs.
pub async fn remove_volumes(context: &Context<'_>, fleet: &Fleet) -> Vec<HostFailure> {
    let (preview, others) = (&context.environment.name, &context.environments());
    let removed = fleet.each(|reached| async move {
        let listed = reached.expect(docker::list_volumes(), QUICK).await?;
        let own = volumes_of(preview, others, &listed);
        if own.is_empty() {
            return Ok(());
        }
        let step = format!("remove {}", own.join(" "));
        let work = reached.expect(docker::volume_remove(&own), QUICK);
        progress::step(context.events, reached.name(), None, &step, work, |_| None)
            .await
            .map(|_| ())
    });
    failures(removed.await)
}

/// Those of the listed volumes that a preview has. The previews of another environment may have names that begin as this
/// one's do: `eu.web.pr-4` as `eu.web`.
fn volumes_of<'l>(preview: &Name, others: &[Name], listed: &'l str) -> Vec<&'l str> {
    let begins = |name: &str, with: &Name| {
        let rest = name.strip_prefix(&**with);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let below = others.iter().filter(|other| begins(other, preview));
    let below: Vec<_> = below.collect();
    let is_own =
        |name: &&str| begins(name, preview) && !below.iter().any(|other| begins(name, other));
    listed.lines().filter(is_own).collect()
}

fn failures(results: Vec<(&Reached, Result<(), HostError>)>) -> Vec<HostFailure> {
    let failed = results.into_iter();
    failed
        .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volumes_of_other_environments_and_their_previews_stay() {
        let name = |text: &str| text.parse::<Name>().expect("a name");
        let listed = "eu.web.data\neu.web.prod.pr-4.data\neu.website.data\neu.data\ndata\n";
        let others = ["eu", "eu.web.prod", "staging"].map(name);
        assert_eq!(
            volumes_of(&name("eu.web"), &others, listed),
            ["eu.web.data"]
        );
    }
}
