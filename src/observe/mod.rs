//! Reads what is on the hosts: containers, release records, and which commands are done already.

mod host;
mod lists;
mod records;

use std::{collections::BTreeSet, time::Duration};

use self::host::observe_host;
use crate::{
    event::{EventKind, Events, Outcome, Phase, Severity},
    facts::Facts,
    hosts::{Fleet, HostError, HostFailure, QUICK, Run, SOON, Stop, row},
    model::{Environment, Host, HostName, LateValues},
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
    let (observed, failures) = read(fleet, environment, terms, events, QUICK, true).await;
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

/// What the hosts' dockers answer within `deadline`, and the hosts that could not be read. `with_consul`, the
/// agents are asked too where a recipe has its containers in Consul; their silence is no failure.
async fn read(
    fleet: &Fleet,
    environment: &Environment,
    terms: Terms<'_>,
    events: &Events,
    deadline: Duration,
    with_consul: bool,
) -> (Observed, Vec<HostFailure>) {
    events.send(EventKind::Phase {
        phase: Phase::Observe,
    });
    let state = state::open(environment, fleet);
    let (observed, stored) = tokio::join!(
        fleet.each(|reached| Box::pin(observe_host(reached, environment, deadline, with_consul))),
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
        ..
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

    /// Whoever listens where another host's agent would be must not be given the token.
    #[tokio::test]
    async fn only_the_agents_of_hosts_whose_recipes_are_in_consul_are_asked() {
        let recipe = "hosts = [\"host-1\"]\ncontainer.image = \"web\"\ncontainer.publish = [\"80\"]\n\
            ready.consul = \"web\"\n";
        let server = || {
            behaviour().script(|command| {
                let has_inspected = command.contains("inspect");
                prints(if has_inspected { "[]\n" } else { "" })
            })
        };
        let mut lab = TestFleet::new(&[("web", recipe)], vec![server(), server()]).await;
        let agents = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = agents.local_addr().expect("its address").port();
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            for _ in agents.incoming() {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        });
        let at = HostAndPort::new("127.0.0.1", port);
        lab.fleet = lab.fleet.with_consul_at(&at);
        let (fleet, environment) = (&lab.fleet, &lab.environment);
        let observed = observe(fleet, environment, Terms::default(), &lab.events).await;
        let observed = observed.unwrap_or_else(|stop| panic!("{:?}", stop.report));
        assert_eq!(observed.facts.hosts.len(), 2);
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
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
