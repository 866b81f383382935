//! Reads what is on one host.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::lists;
use crate::{
    balancers::maintenance::is_own_maintenance,
    docker::{self, Container},
    facts::{
        HostFacts, parse_names,
        ports::{self, TakenPort},
    },
    hosts::{HostError, QUICK, Reached, within},
    model::{ContainerSpec, Environment},
    text,
};

/// What docker answers on one host within `deadline`, what Consul has left there, and the files that are written for
/// balancers.
pub(super) async fn observe_host(
    reached: &Reached,
    environment: &Environment,
    deadline: Duration,
    with_consul: bool,
) -> Result<HostFacts, HostError> {
    let containers = reached.read(
        docker::list_containers(&environment.name),
        docker::parse_containers,
    );
    let shared = shared(reached, environment);
    let names = reached.expect(docker::list_names(), QUICK);
    let listening = listening(reached, environment);
    let answers = async { tokio::try_join!(containers, shared, names, listening) };
    // Consul has deadlines of its own: what docker has answered must not be lost by them.
    let maintenance = async {
        if with_consul {
            Ok(left_in_maintenance(reached, environment).await)
        } else {
            Ok(BTreeSet::new())
        }
    };
    let ((containers, shared, names, listening), left_in_maintenance) =
        tokio::try_join!(within(deadline, answers), maintenance)?;
    let taken_ports = ports::parse_published(&names).into_iter();
    let mut facts = HostFacts {
        containers,
        shared,
        names: parse_names(&names),
        taken_ports: taken_ports.chain(listening).collect(),
        left_in_maintenance,
        lists: BTreeMap::new(),
    };
    facts.lists = within(deadline, lists::read(reached, environment, &facts)).await?;
    Ok(facts)
}

/// The containers of the recipes that a preview shares with its base.
async fn shared(reached: &Reached, environment: &Environment) -> Result<Vec<Container>, HostError> {
    let Some(preview) = &environment.preview else {
        return Ok(Vec::new());
    };
    let command = docker::list_containers(&preview.base);
    let mut containers = reached.read(command, docker::parse_containers).await?;
    containers.retain(|container| {
        let identity = container.identity();
        let mut shared = environment.shared.iter();
        identity.is_some_and(|it| shared.any(|recipe| *recipe.name == *it.recipe))
    });
    Ok(containers)
}

/// The ports of a host that programs listen on, where a recipe wants a fixed one. A host without IPv6 lacks one of
/// the two tables.
async fn listening(
    reached: &Reached,
    environment: &Environment,
) -> Result<Vec<TakenPort>, HostError> {
    let specs = environment.recipes.iter().filter_map(|recipe| {
        let on = recipe.by_host.get(reached.name())?;
        on.container.as_ref()
    });
    if !specs.into_iter().any(ContainerSpec::publishes_fixed_port) {
        return Ok(Vec::new());
    }
    let table = reached.run(ports::read_sockets(), QUICK).await?;
    Ok(ports::parse_listening(&table.stdout))
}

/// The ports of services that are in a maintenance mode of ours. A host whose agent does not answer counts as
/// having none: where Consul is needed, its absence is found before anything is changed.
async fn left_in_maintenance(reached: &Reached, environment: &Environment) -> BTreeSet<u16> {
    let mut recipes = environment.recipes.iter();
    if !recipes.any(|recipe| recipe.is_registered_on(reached.name())) {
        return BTreeSet::new();
    }
    let services = match reached.consul.services().await {
        Ok(services) => services,
        Err(error) => {
            tracing::info!(host = %reached.name(), error = %text::chain(&error).join(": "), "Consul cannot be asked");
            Vec::new()
        }
    };
    services
        .iter()
        .filter(|service| is_own_maintenance(service))
        .map(|service| service.service.port)
        .collect()
}
