//! Reads what is on the hosts: containers, release records, and which commands are done already.

mod lists;
mod records;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    balancers::maintenance::is_own_maintenance,
    docker::{self, Container},
    event::{EventKind, Events, Outcome, Phase, Severity},
    facts::{
        Facts, HostFacts, parse_names,
        ports::{self, TakenPort},
    },
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, Run, SOON, Stop, row, within},
    model::{ContainerSpec, Environment, Host, HostName, LateValues, Recipe},
    plan::{Scope, TaskRef},
    release::{History, Reading, Terms},
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

    /// Those of `hosts` that were not read: what they have is not known.
    pub fn unread<'h>(&self, hosts: &[&'h Host]) -> Vec<&'h HostName> {
        let names = hosts.iter().map(|host| &host.name);
        names
            .filter(|host| !self.facts.hosts.contains_key(*host))
            .collect()
    }
}

/// Reads every host of the fleet at once. All must answer.
pub async fn observe(
    fleet: &Fleet,
    environment: &Environment,
    terms: Terms<'_>,
    events: &Events,
) -> Run<Observed> {
    let registered = environment.recipes.iter().any(Recipe::is_registered);
    let (observed, failures) = read(fleet, environment, terms, events, QUICK, registered).await;
    if failures.is_empty() {
        return Ok(observed);
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let message = format!("cannot read what runs on {names}; nothing was changed");
    Err(Stop::on_hosts(Outcome::NotReady, message, &failures))
}

/// Reads every host of the fleet at once, for those who only look: a host that cannot be read soon is a row and a
/// warning, and the others are shown. When none answers, that is an error.
pub async fn observe_any(
    fleet: &Fleet,
    environment: &Environment,
    terms: Terms<'_>,
    events: &Events,
) -> Run<Observed> {
    // What Consul says is of use only to a plan, and an agent that hangs must keep no host from being shown.
    let (observed, failures) = read(fleet, environment, terms, events, SOON, false).await;
    if observed.facts.hosts.is_empty() && !failures.is_empty() {
        let message = "cannot read what runs on any host";
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    for (host, error) in &failures {
        let why = text::chain(error).join(": ");
        events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("left out: {why}"),
            hint: error.hint(),
        });
        let mut row = row(host, "cannot be read", Severity::Bad);
        row.detail = Some(why);
        events.send(EventKind::HostState { row });
    }
    records::show_unsigned(observed.history.unsigned(), events);
    Ok(observed)
}

/// What the hosts' dockers answer within `deadline`, and the hosts that could not be read. With `registered` their
/// Consul agents are asked too, whose silence is no failure.
async fn read(
    fleet: &Fleet,
    environment: &Environment,
    terms: Terms<'_>,
    events: &Events,
    deadline: Duration,
    registered: bool,
) -> (Observed, Vec<HostFailure>) {
    events.send(EventKind::Phase {
        phase: Phase::Observe,
    });
    let state = state::open(environment, fleet);
    let (observed, stored) = tokio::join!(
        fleet.each(|reached| Box::pin(observe_host(reached, environment, deadline, registered))),
        state.read_records(terms, deadline),
    );
    let StoredRecords {
        reading,
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
    let Reading {
        records,
        copied,
        left_out,
    } = reading;
    let unsigned = left_out.iter().filter(|it| it.is_unsigned).cloned();
    let unsigned = unsigned.collect();
    records::warn_of_left_out(left_out, &environment.name, events);
    records::warn_of_numbers(&facts, events);
    let history = History::new(records, facts.newest_label())
        .with_copies_of(copied)
        .without_unsigned(unsigned);
    (Observed { facts, history }, failures)
}

async fn observe_host(
    reached: &Reached,
    environment: &Environment,
    deadline: Duration,
    registered: bool,
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
    let maintenance = async { Ok(left_in_maintenance(reached, registered).await) };
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
        image: String::new(),
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
                    .by_host
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hosts::testing::{Act, TestFleet, behaviour, fails, prints},
        model::HostAndPort,
    };

    const DOWN: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n";

    /// Two hosts: docker answers on the first, and is down on those that come after it.
    async fn lab(answers: usize) -> TestFleet {
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        let behaviours = (0..2).map(|at| {
            behaviour().script(move |command: &str| -> Vec<Act> {
                match command {
                    _ if at >= answers => fails(1, DOWN),
                    _ if command.contains("inspect") => prints("[]\n"),
                    _ => prints(""),
                }
            })
        });
        TestFleet::new(&[("web", recipe)], behaviours.collect()).await
    }

    #[tokio::test]
    async fn those_who_look_see_the_hosts_that_answer() {
        let mut lab = lab(1).await;
        let observed =
            observe_any(&lab.fleet, &lab.environment, Terms::default(), &lab.events).await;
        let observed = observed.unwrap_or_else(|stop| panic!("{:?}", stop.report));
        let hosts: Vec<_> = observed
            .facts
            .hosts
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(hosts, ["host-1"]);
        let mut rows = Vec::new();
        while let Some(event) = lab.told.try_next() {
            if let EventKind::HostState { row } = event.kind {
                let detail = row.detail.unwrap_or_default();
                rows.push(format!("{} {} {detail}", row.host, row.state));
            }
        }
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0].starts_with("host-2 cannot be read "), "{rows:?}");
        assert!(
            rows[0].contains("Cannot connect to the Docker daemon"),
            "{rows:?}"
        );
        let hosts: Vec<_> = lab.environment.hosts.iter().collect();
        assert_eq!(observed.unread(&hosts), [&hosts[1].name]);
    }

    #[tokio::test]
    async fn those_who_look_wait_for_no_consul() {
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\ncontainer.publish = [\"80\"]\n\
            ready.consul = \"web\"\n";
        let server = behaviour().script(|command| {
            let has_inspected = command.contains("inspect");
            prints(if has_inspected { "[]\n" } else { "" })
        });
        let mut lab = TestFleet::new(&[("web", recipe)], vec![server]).await;
        assert!(lab.environment.recipes[0].is_registered());
        // It takes connections, as a process that is stopped does, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = silent.local_addr().expect("its address").port();
        lab.fleet = lab
            .fleet
            .with_consul_at(&HostAndPort::new("127.0.0.1", port));
        let looking = observe_any(&lab.fleet, &lab.environment, Terms::default(), &lab.events);
        let observed = tokio::time::timeout(SOON, looking).await.expect("soon");
        let observed = observed.unwrap_or_else(|stop| panic!("{:?}", stop.report));
        assert_eq!(observed.facts.hosts.len(), 1);
    }

    #[tokio::test]
    async fn where_none_answers_that_is_an_error_and_a_deploy_needs_all() {
        for (answers, any, all) in [(2, true, true), (1, true, false), (0, false, false)] {
            let lab = lab(answers).await;
            let (fleet, environment, events) = (&lab.fleet, &lab.environment, &lab.events);
            let seen = observe_any(fleet, environment, Terms::default(), events).await;
            assert_eq!(seen.is_ok(), any, "{answers} answer");
            let seen = observe(fleet, environment, Terms::default(), events).await;
            assert_eq!(seen.is_ok(), all, "{answers} answer");
        }
    }
}
