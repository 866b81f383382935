//! The rows of one recipe on one host: what runs, then what should and does not.

use jiff::Timestamp;

use super::of_consul::OfConsul;
use crate::{
    commands::on_hosts::routes::Answer,
    consul::ServiceInstance,
    docker::Container,
    event::{InstanceRow, RouteRow, Severity},
    facts::HostFacts,
    hosts::Reached,
    model::{ConsulReady, HostAndPort, HostRecipe, Recipe},
    release::{History, Number, Stopped, version},
};

/// What was seen of a recipe on a host.
pub struct Seen<'a> {
    pub recipe: &'a Recipe,
    pub reached: &'a Reached,
    pub facts: &'a HostFacts,
    pub history: &'a History,
    pub consul: &'a OfConsul,
    pub answers: &'a [Answer],
}

/// What runs, then what should and does not.
pub fn instances(seen: &Seen<'_>) -> Vec<InstanceRow> {
    let on = seen.recipe.by_host.get(seen.reached.name());
    let wanted = on.map_or(0, |on| usize::from(on.instances));
    let containers = seen.facts.of_recipe(&seen.recipe.name);
    let running: Vec<_> = containers.iter().filter(|it| it.state.running).collect();
    // The one that ended last: a newer release may have one that was taken back before.
    let stopped = containers.iter().filter(|it| !it.state.running);
    let last = stopped.max_by(|one, other| one.state.finished_at.cmp(&other.state.finished_at));
    let missing = wanted.saturating_sub(running.len());
    let running = running
        .into_iter()
        .map(|container| seen.running(container, on));
    let stopped_by = seen.history.stopped(seen.reached.name(), &seen.recipe.name);
    let missing = std::iter::repeat_with(|| seen.missing(last.copied(), stopped_by)).take(missing);
    running.chain(missing).collect()
}

impl Seen<'_> {
    fn running(&self, container: &Container, on: Option<&HostRecipe>) -> InstanceRow {
        let address = &self.reached.host.address;
        let ports = container.ports.on_host(address);
        let endpoint = ports
            .first()
            .map(|port| HostAndPort::new(&**address, *port));
        let routes = self.routes(container);
        let docker_health = container.state.health.as_ref();
        let docker_health = docker_health.map(|health| health.status.clone());
        let docker_health = docker_health.filter(|status| status != "none");
        let consul_health = on.and_then(|on| self.consul_health(container, on));
        let is_unwell = !container.state.is_up()
            || docker_health.as_deref() == Some("unhealthy")
            || consul_health.as_deref().is_some_and(|it| {
                it != "passing" && it != "has a leader" && !it.starts_with("unknown")
            })
            || routes.iter().any(|route| route.routed == Some(false));
        InstanceRow {
            since: container.state.started_at.parse().ok(),
            exit_code: None,
            docker_health,
            consul_health,
            routes,
            address: endpoint.map(|endpoint| endpoint.to_string()),
            severity: if is_unwell {
                Severity::Bad
            } else {
                Severity::Good
            },
            ..self.of_container(container)
        }
    }

    fn missing(&self, last: Option<&Container>, stopped_by: Option<&Stopped>) -> InstanceRow {
        let row = last.map_or_else(|| self.nothing(), |container| self.of_container(container));
        match stopped_by {
            None => row,
            // It is as somebody wants it.
            Some(stopped) => InstanceRow {
                state: "stopped".to_owned(),
                exit_code: None,
                since: Some(stopped.at),
                stopped_by: Some(stopped.by.clone()),
                severity: Severity::Notable,
                ..row
            },
        }
    }

    /// What should run and never did.
    fn nothing(&self) -> InstanceRow {
        InstanceRow {
            recipe: self.recipe.name.to_string(),
            host: self.reached.name().to_string(),
            container: None,
            release: None,
            version: None,
            image: None,
            state: "missing".to_owned(),
            exit_code: None,
            since: None,
            stopped_by: None,
            docker_health: None,
            consul_health: None,
            routes: Vec::new(),
            address: None,
            severity: Severity::Bad,
        }
    }

    /// What docker and the records say of a container that does not run.
    fn of_container(&self, container: &Container) -> InstanceRow {
        let image = self.image(container);
        let state = &container.state;
        // Docker has a time of year 1 for what never ended.
        let finished: Option<Timestamp> = state.finished_at.parse().ok();
        InstanceRow {
            container: Some(container.name.clone()),
            release: container
                .identity()
                .map(|identity| Number(identity.release).to_string()),
            version: Some(version(&image)),
            image: Some(image),
            state: state.status.clone(),
            exit_code: (state.status == "exited").then_some(state.exit_code),
            since: finished.filter(|at| *at > Timestamp::UNIX_EPOCH),
            ..self.nothing()
        }
    }

    /// The image as it was typed, by the record of what was deployed; docker knows what it was pinned to.
    fn image(&self, container: &Container) -> String {
        let recorded = container.identity().and_then(|identity| {
            let (host, recipe) = (self.reached.name(), &self.recipe.name);
            let hash = identity.spec.as_str();
            self.history.recorded(host, recipe, hash)
        });
        recorded.map_or_else(
            || container.image.clone(),
            |recorded| recorded.spec.image.clone(),
        )
    }

    /// What Consul says of a container; `None` where the recipe does not go through Consul.
    fn consul_health(&self, container: &Container, on: &HostRecipe) -> Option<String> {
        let unknown = |why: &String| Some(format!("unknown: {why}"));
        if on.ready.consul == Some(ConsulReady::Leader) {
            return match self.consul.has_leader.as_ref()? {
                Ok(true) => Some("has a leader".to_owned()),
                Ok(false) => Some("no leader".to_owned()),
                Err(why) => unknown(why),
            };
        }
        // It has no ports of its own to be looked up by.
        if container.uses_host_network() || !self.recipe.is_registered() {
            return None;
        }
        let services = match self.consul.services.as_ref()? {
            Ok(services) => services,
            Err(why) => return unknown(why),
        };
        let address = &self.reached.host.address;
        let ports = container.ports.on_host(address);
        let mut own = services.iter().filter(|service| {
            let name = on.consul_service();
            let is_named = name.is_none_or(|name| service.service.service == name);
            is_named && ports.iter().any(|port| service.is_at(address, *port))
        });
        let Some(first) = own.next() else {
            let is_expected = on.consul_service().is_some();
            return is_expected.then(|| "not registered".to_owned());
        };
        let complaint = first
            .complaint()
            .or_else(|| own.find_map(ServiceInstance::complaint));
        Some(complaint.unwrap_or_else(|| "passing".to_owned()))
    }

    /// Whether each balancer that the recipe drains through routes to a container.
    fn routes(&self, container: &Container) -> Vec<RouteRow> {
        let address = &self.reached.host.address;
        let ports = container.ports.on_host(address);
        let balancers = self.recipe.drain.iter().flat_map(|drain| &drain.balancers);
        let asked = balancers.flat_map(|balancer| {
            let answers = self.answers.iter();
            answers.filter(move |answer| answer.balancer == *balancer)
        });
        let route = |answer: &Answer| {
            let mut routed = Ok(false);
            for port in &ports {
                match answer.routes_to(address, *port) {
                    Ok(false) => {}
                    other => routed = other,
                }
            }
            RouteRow {
                balancer: answer.balancer.to_string(),
                host: answer.host.to_string(),
                routed: routed.ok(),
                error: routed.err().map(str::to_owned),
            }
        };
        asked.map(route).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        consul::{AgentCheck, AgentService},
        docker::parse_containers,
        hosts::testing::{TestFleet, behaviour},
        release::Record,
    };

    const RECIPE: &str = "hosts = \"all\"\ncontainer.image = \"web:2\"\ncontainer.publish = [\"80\"]\n\
        container.instances = 2\nready.consul = \"web\"\n";

    /// A container of release 2, whose spec the records know.
    fn container(name: &str, running: bool) -> serde_json::Value {
        let status = if running { "running" } else { "exited" };
        serde_json::json!({
            "Id": name, "Name": format!("/{name}"), "Image": "sha256:aa",
            "State": {
                "Status": status, "Running": running, "ExitCode": 137,
                "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "2026-01-02T00:00:00Z",
            },
            "Config": { "Image": "web@sha256:bb", "Labels": {
                "shipit.environment": "staging", "shipit.recipe": "web", "shipit.release": "2",
                "shipit.instance": "1", "shipit.spec": "abcd",
            } },
            "HostConfig": {},
            "NetworkSettings": { "Ports": { "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "32768" }] } },
        })
    }

    fn history() -> History {
        let record = serde_json::json!({
            "number": 2, "environment": "staging", "host": "host-1", "action": "deploy",
            "by": "alice@laptop", "started": "1970-01-01T00:00:00Z", "outcome": "succeeded",
            "recipes": { "web": {
                "spec": { "image": "web:2" }, "image": { "reference": "web@sha256:bb", "digest": "sha256:bb" },
                "instances": 1, "hash": "abcd",
            } },
        });
        let record: Record = serde_json::from_value(record).expect("a record");
        History::new(BTreeMap::from([("host-1".into(), vec![record])]), 2)
    }

    fn service(port: u16, complaint: Option<&str>) -> ServiceInstance {
        let check = |output: &&str| AgentCheck {
            id: "check".into(),
            status: crate::consul::CheckStatus::Critical,
            output: (*output).to_owned(),
            notes: String::new(),
            service_id: "id".into(),
        };
        ServiceInstance {
            service: AgentService {
                id: "id".into(),
                service: "web".into(),
                address: String::new(),
                port,
            },
            checks: complaint.iter().map(check).collect(),
        }
    }

    /// The rows of a host with these containers, whose agent has these services.
    async fn rows(
        containers: &[serde_json::Value],
        services: Result<Vec<ServiceInstance>, String>,
    ) -> Vec<InstanceRow> {
        let lab = TestFleet::new(&[("web", RECIPE)], vec![behaviour()]).await;
        let json = serde_json::Value::from(containers.to_vec()).to_string();
        let facts = HostFacts {
            containers: parse_containers(&json).expect("containers"),
            ..HostFacts::default()
        };
        let consul = OfConsul {
            services: Some(services),
            has_leader: None,
        };
        instances(&Seen {
            recipe: &lab.environment.recipes[0],
            reached: &lab.fleet.hosts()[0],
            facts: &facts,
            history: &history(),
            consul: &consul,
            answers: &[],
        })
    }

    #[tokio::test]
    async fn the_version_is_the_one_that_was_typed() {
        let rows = rows(
            &[container("web-r2", true), container("web-r1", false)],
            Ok(vec![service(32768, None)]),
        )
        .await;
        let [running, missing] = &rows[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(running.version.as_deref(), Some("2"));
        assert_eq!(running.image.as_deref(), Some("web:2"));
        assert_eq!(running.address.as_deref(), Some("127.0.0.1:32768"));
        assert_eq!(running.consul_health.as_deref(), Some("passing"));
        assert_eq!(
            (&*running.state, running.severity),
            ("running", Severity::Good)
        );
        assert_eq!(running.since, "2026-01-01T00:00:00Z".parse().ok());
        // Of two that are wanted one runs; the other one ended.
        assert_eq!((&*missing.state, missing.exit_code), ("exited", Some(137)));
        assert_eq!(missing.since, "2026-01-02T00:00:00Z".parse().ok());
        assert_eq!(missing.severity, Severity::Bad);
    }

    #[tokio::test]
    async fn what_consul_says_is_told_and_what_it_does_not_say() {
        let containers = [container("web-r2", true), container("web-r2-2", true)];
        for (services, health, severity) in [
            (
                Ok(vec![service(32768, Some("500\nmore"))]),
                "critical: 500",
                Severity::Bad,
            ),
            (Ok(vec![service(1, None)]), "not registered", Severity::Bad),
            (
                Err("no answer within 5s".to_owned()),
                "unknown: no answer within 5s",
                Severity::Good,
            ),
        ] {
            let rows = rows(&containers, services).await;
            assert_eq!(rows[0].consul_health.as_deref(), Some(health));
            assert_eq!(rows[0].severity, severity, "{health}");
        }
    }

    #[tokio::test]
    async fn what_never_ran_is_missing() {
        let rows = rows(&[], Ok(Vec::new())).await;
        let states: Vec<_> = rows.iter().map(|row| &*row.state).collect();
        assert_eq!(states, ["missing", "missing"]);
        assert!(
            rows.iter()
                .all(|row| row.container.is_none() && row.since.is_none())
        );
    }
}
