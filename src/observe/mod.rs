//! Reads what is on the hosts: containers, records, and which commands are done already.

use std::collections::BTreeSet;

use crate::{
    balancers::maintenance::is_own_maintenance,
    docker::{self, Volume},
    event::{EventKind, Events, Outcome, Phase},
    facts::{Facts, HostFacts, parse_names},
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop},
    model::{Environment, HostName, LateValues, Recipe},
    plan::{Scope, TaskRef},
    release::{History, read_records},
    tasks, text,
};

/// What was read.
pub struct Observed {
    /// What runs.
    pub facts: Facts,
    /// The past.
    pub history: History,
}

impl Observed {
    /// Whether the environment has no release and no container yet.
    pub fn is_before_the_first_deploy(&self) -> bool {
        let hosts = &self.facts.hosts;
        self.history.newest().is_none() && hosts.values().all(|host| host.containers.is_empty())
    }
}

/// Reads every host of the fleet at once.
pub async fn observe(fleet: &Fleet, environment: &Environment, events: &Events) -> Run<Observed> {
    events.send(EventKind::Phase {
        phase: Phase::Observe,
    });
    let name = &*environment.name;
    let registered = environment.recipes.iter().any(Recipe::is_registered);
    let mut facts = Facts::default();
    let mut volumes = Vec::new();
    let mut failures = Vec::<(HostName, HostError)>::new();
    for (reached, result) in fleet
        .each(|reached| observe_host(reached, name, registered))
        .await
    {
        match result {
            Ok((host_facts, host_volumes)) => {
                facts.hosts.insert(reached.name().clone(), host_facts);
                volumes.extend(host_volumes);
            }
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    if !failures.is_empty() {
        let names = text::list(failures.iter().map(|(host, _)| host));
        let message = format!("cannot read what runs on {names}; nothing was changed");
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    let (records, unreadable) = read_records(&volumes);
    for record in unreadable.into_iter().collect::<BTreeSet<_>>() {
        let message = format!("a release record cannot be read and is left out: {record}");
        events.send(EventKind::Warning {
            host: None,
            message,
            hint: None,
        });
    }
    let history = History::new(records, facts.newest_label());
    Ok(Observed { facts, history })
}

async fn observe_host(
    reached: &Reached,
    environment: &str,
    registered: bool,
) -> Result<(HostFacts, Vec<Volume>), HostError> {
    let containers = reached.read(
        docker::list_containers(environment),
        docker::parse_containers,
    );
    let names = reached.expect(docker::list_names(), QUICK);
    let volumes = reached.read(docker::inspect_volumes(environment), docker::parse_volumes);
    let maintenance = async { Ok(left_in_maintenance(reached, registered).await) };
    let (containers, names, volumes, left_in_maintenance) =
        tokio::try_join!(containers, names, volumes, maintenance)?;
    Ok((
        HostFacts {
            containers,
            names: parse_names(&names),
            left_in_maintenance,
        },
        volumes,
    ))
}

/// The ports of services that are in a maintenance mode of ours. A host whose agent cannot be asked has
/// none that could be told: where Consul is needed, its absence is found before anything is changed.
async fn left_in_maintenance(reached: &Reached, registered: bool) -> BTreeSet<u16> {
    if !registered {
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

/// Which commands of recipes without a container are done already: their `unless` is asked for real.
pub async fn done_tasks(
    fleet: &Fleet,
    environment: &Environment,
    scope: &Scope,
) -> Run<BTreeSet<TaskRef>> {
    let late = LateValues {
        release: String::new(),
        container: String::new(),
    };
    let mut done = BTreeSet::new();
    let recipes = environment
        .recipes
        .iter()
        .filter(|recipe| !recipe.has_container() && scope.has_recipe(&recipe.name));
    for recipe in recipes {
        let asked = fleet.each(|reached| {
            let (tasks, late) = (
                recipe
                    .on
                    .get(reached.name())
                    .filter(|_| scope.has_host(reached.name()))
                    .map(|on| on.commands.clone()),
                late.clone(),
            );
            async move {
                let mut found = Vec::new();
                for (index, task) in tasks.unwrap_or_default().iter().enumerate() {
                    if tasks::is_done(reached, task, &late).await? {
                        found.push(TaskRef {
                            recipe: recipe.name.clone(),
                            host: reached.name().clone(),
                            index,
                        });
                    }
                }
                Ok::<_, HostError>(found)
            }
        });
        for (reached, found) in asked.await {
            let message = format!(
                "cannot ask on `{}` what `{}` has left to do",
                reached.name(),
                recipe.name
            );
            done.extend(found.map_err(|error| {
                Stop::on_host(Outcome::NotReady, message, reached.name(), &error)
            })?);
        }
    }
    Ok(done)
}
