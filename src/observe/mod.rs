//! Reads what is on the hosts: containers, release records, and which commands are done already.

use std::collections::BTreeSet;

use crate::{
    balancers::maintenance::is_own_maintenance,
    docker,
    event::{EventKind, Events, Outcome, Phase},
    facts::{
        Facts, HostFacts, parse_names,
        ports::{self, TakenPort},
    },
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, Run, Stop},
    model::{ContainerSpec, Environment, LateValues, Recipe},
    plan::{Scope, TaskRef},
    release::History,
    state::{self, StoredRecords},
    tasks, text,
};

/// What was read from the hosts.
pub struct Observed {
    /// What runs now.
    pub facts: Facts,
    /// The earlier releases.
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
    let registered = environment.recipes.iter().any(Recipe::is_registered);
    let state = state::open(environment, fleet);
    let (observed, stored) = tokio::join!(
        fleet.each(|reached| observe_host(reached, environment, registered)),
        state.read_records(),
    );
    let StoredRecords {
        records,
        unreadable,
        failures: mut without_records,
    } = stored;
    let mut facts = Facts::default();
    let mut failures = Vec::<HostFailure>::new();
    for (reached, result) in observed {
        let host = reached.name();
        // A host that answers neither question is one failure.
        let records = without_records.iter().position(|(of, _)| of == host);
        let records = records.map(|at| without_records.remove(at));
        match (result, records) {
            (Ok(host_facts), None) => {
                facts.hosts.insert(host.clone(), host_facts);
            }
            (Err(error), _) => failures.push((host.clone(), error)),
            (Ok(_), Some(failure)) => failures.push(failure),
        }
    }
    failures.extend(without_records);
    if !failures.is_empty() {
        let names = text::list(failures.iter().map(|(host, _)| host));
        let message = format!("cannot read what runs on {names}; nothing was changed");
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    for record in unreadable {
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
    environment: &Environment,
    registered: bool,
) -> Result<HostFacts, HostError> {
    let containers = reached.read(
        docker::list_containers(&environment.name),
        docker::parse_containers,
    );
    let names = reached.expect(docker::list_names(), QUICK);
    let listening = listening(reached, environment);
    let maintenance = async { Ok(left_in_maintenance(reached, registered).await) };
    let (containers, names, left_in_maintenance, listening) =
        tokio::try_join!(containers, names, maintenance, listening)?;
    let taken_ports = ports::parse_published(&names).into_iter();
    Ok(HostFacts {
        containers,
        names: parse_names(&names),
        taken_ports: taken_ports.chain(listening).collect(),
        left_in_maintenance,
    })
}

/// The ports of a host that programs listen on, where a recipe wants a fixed one. A host without IPv6 lacks one of
/// the two tables.
async fn listening(
    reached: &Reached,
    environment: &Environment,
) -> Result<Vec<TakenPort>, HostError> {
    let specs = environment.recipes.iter().filter_map(|recipe| {
        let on = recipe.on.get(reached.name())?;
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

/// Which commands of recipes without a container are done already. Their `unless` really runs, for a plan too.
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
                "cannot find out on `{}` which commands of `{}` are done",
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
