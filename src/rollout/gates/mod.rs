//! What the rollout waits for: one look at each kind of gate.

use std::{sync::Arc, time::Duration};

use hyper::Method;

use super::{
    quorum::cluster_is_whole,
    slot::{Occupant, SlotRun},
};
use crate::{
    balancers::maintenance::{is_own_maintenance, operator_maintenance},
    command::RemoteCommand,
    docker::Container,
    facts::{connections, routes},
    hosts::{HostError, QUICK, Reached},
    http,
    model::{BalancerView, ConsulReady, HttpReady, LateValues},
    rollout::machine::{Gate, Observation, Side, Verdict},
    text,
};

/// The longest that one look may take. The gate's own deadline is the rollout's.
const LOOK: Duration = Duration::from_secs(5);

/// A balancer that a rollout asks what it routes to.
#[derive(Clone)]
pub struct Balancer {
    /// The host it runs on.
    pub reached: Reached,
    /// How it tells.
    pub view: BalancerView,
    /// What its command may name.
    pub late: LateValues,
}

/// What gates look at beside the slot itself.
pub struct Surroundings {
    /// Every balancer of the recipe's `[drain]`.
    pub balancers: Vec<Balancer>,
    /// How many Consul servers the recipe's cluster has when it is whole.
    pub consul_servers: usize,
    /// The hosts of these servers, where the recipe is Consul's own.
    pub consul_hosts: Vec<Reached>,
}

/// It holds.
pub fn holds(detail: impl Into<String>) -> Observation {
    Observation {
        verdict: Verdict::Holds,
        detail: detail.into(),
    }
}

/// It does not hold yet.
pub fn not_yet(detail: impl Into<String>) -> Observation {
    Observation {
        verdict: Verdict::NotYet,
        detail: detail.into(),
    }
}

fn never(detail: impl Into<String>) -> Observation {
    Observation {
        verdict: Verdict::Never,
        detail: detail.into(),
    }
}

/// A gate that could not be looked at: not yet, unless the host is gone.
fn from_error(error: &HostError) -> Observation {
    let detail = text::chain(error).join(": ");
    if error.is_unreachable() {
        never(detail)
    } else {
        not_yet(detail)
    }
}

impl SlotRun {
    /// Looks once at a gate.
    pub async fn look(&self, side: Side, gate: Gate, around: &Arc<Surroundings>) -> Observation {
        let seen = match gate {
            Gate::Quorum => self.quorum(around).await,
            Gate::Leader => self.others_have_a_leader(around).await,
            Gate::Ready => self.ready(side, around).await,
            Gate::Routed => self.routed(side, around, true).await,
            Gate::Unrouted => self.routed(side, around, false).await,
            Gate::Idle => self.idle(side).await,
            Gate::Gone => self.gone(side).await,
        };
        seen.unwrap_or_else(|error| from_error(&error))
    }

    async fn quorum(&self, around: &Surroundings) -> Result<Observation, HostError> {
        cluster_is_whole(&self.reached, around.consul_servers).await
    }

    async fn others_have_a_leader(&self, around: &Surroundings) -> Result<Observation, HostError> {
        // Of two servers one alone elects nobody.
        if around.consul_servers < 3 {
            return Ok(holds("too few servers for an election"));
        }
        let own = self.reached.name();
        let mut seen = holds("no other server to ask");
        for other in around.consul_hosts.iter().filter(|it| it.name() != own) {
            // Only a leader that lives answers this: `/v1/status/leader` has the dead one for a while.
            match other.consul.voters().await {
                Ok(_) => return Ok(holds("")),
                Err(error) => seen = not_yet(text::chain(&error).join(": ")),
            }
        }
        Ok(seen)
    }

    async fn ready(&self, side: Side, around: &Surroundings) -> Result<Observation, HostError> {
        let mut good = Vec::new();
        for occupant in self.occupants_of(side).await {
            let name = &occupant.name.active;
            let Some(container) = self.inspect(name).await? else {
                return Ok(never(format!("the container `{name}` is gone")));
            };
            if let Some(ended) = how_it_ended(&container, &occupant) {
                return Ok(never(ended));
            }
            let seen = self.answers(side, &container, around).await?;
            if seen.verdict != Verdict::Holds {
                return Ok(seen);
            }
            good.push(seen.detail);
        }
        Ok(holds(good.join(", ")))
    }

    async fn answers(
        &self,
        side: Side,
        container: &Container,
        around: &Surroundings,
    ) -> Result<Observation, HostError> {
        let ready = &self.on.ready;
        if ready.healthcheck {
            match &container.state.health {
                None => {
                    return Ok(never(
                        "`ready.healthcheck` is set, but the image has no HEALTHCHECK",
                    ));
                }
                Some(health) if health.status != "healthy" => {
                    let last = health
                        .log
                        .last()
                        .map(|result| first_line(&result.output))
                        .unwrap_or_default();
                    return Ok(not_yet(format!(
                        "docker's healthcheck says {}: {last}",
                        health.status
                    )));
                }
                Some(_) => {}
            }
        }
        if let Some(port) = ready.tcp
            && let Err(detail) = self.accepts(container, port).await
        {
            return Ok(not_yet(detail));
        }
        if let Some(check) = &ready.http {
            match self.http_answer(container, check).await {
                Ok(()) => {}
                Err(seen) => return Ok(seen),
            }
        }
        if let Some(script) = &ready.run {
            let script = script
                .render(&self.late_values(side))
                .map_err(|error| HostError::Fact(error.to_string()))?;
            let output = self.reached.run(RemoteCommand::shell(script), LOOK).await?;
            if output.status != 0 {
                let said = first_line(if output.stderr.is_empty() {
                    &output.stdout
                } else {
                    &output.stderr
                });
                return Ok(not_yet(format!(
                    "`ready.run` exits with {}: {said}",
                    output.status
                )));
            }
        }
        match &ready.consul {
            Some(ConsulReady::Leader) => {
                cluster_is_whole(&self.reached, around.consul_servers).await
            }
            Some(ConsulReady::Service(name)) => self.is_passing(name, side, container).await,
            None => Ok(holds(self.endpoint(container))),
        }
    }

    fn endpoint(&self, container: &Container) -> String {
        let ports = container.tcp_host_ports();
        let address = &self.reached.host.address;
        ports
            .first()
            .map_or_else(|| "running".to_owned(), |port| format!("{address}:{port}"))
    }

    /// Where a port of the container is reached from its own host. Published ports are dialled at the
    /// address they are bound to, as docker's port may be bound to one address only.
    fn dial(container: &Container, port: Option<u16>) -> Option<(String, u16)> {
        let host_port = container.host_port(port)?;
        let binding = container
            .ports
            .iter()
            .find(|binding| binding.host_port == host_port);
        let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0" || ip == "::";
        let ip = binding
            .map(|binding| binding.host_ip.clone())
            .filter(|ip| !any(ip));
        Some((ip.unwrap_or_else(|| "127.0.0.1".to_owned()), host_port))
    }

    async fn accepts(&self, container: &Container, port: u16) -> Result<(), String> {
        use tokio::io::AsyncReadExt;
        let (ip, host_port) = Self::dial(container, Some(port))
            .ok_or_else(|| format!("port {port} is not published"))?;
        let refused = |error: &dyn std::error::Error| {
            format!("{ip}:{host_port}: {}", text::chain(error).join(": "))
        };
        let mut tunnel = self
            .reached
            .session
            .tunnel(&ip, host_port, LOOK)
            .await
            .map_err(|error| refused(&error))?;
        // Docker's own proxy accepts for a container that does not, and hangs up at once.
        let mut byte = [0];
        match tokio::time::timeout(Duration::from_millis(200), tunnel.read(&mut byte)).await {
            Ok(Ok(0)) => Err(format!("{ip}:{host_port} hangs up at once")),
            Ok(Err(error)) => Err(refused(&error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    async fn http_answer(
        &self,
        container: &Container,
        check: &HttpReady,
    ) -> Result<(), Observation> {
        let Some((ip, port)) = Self::dial(container, check.port) else {
            return Err(match check.port {
                Some(port) => never(format!(
                    "port {port} of `{}` is not published",
                    container.name
                )),
                None => never(format!(
                    "`{}` does not publish exactly one port: `ready.http` needs `port`",
                    container.name
                )),
            });
        };
        let failed = |error: &dyn std::error::Error| {
            not_yet(format!(
                "GET {}: {}",
                check.path,
                text::chain(error).join(": ")
            ))
        };
        let tunnel = self
            .reached
            .session
            .tunnel(&ip, port, LOOK)
            .await
            .map_err(|error| failed(&error))?;
        let authority = format!("{}:{port}", self.reached.host.address);
        let answer = http::request(tunnel, &authority, Method::GET, &check.path, None, LOOK)
            .await
            .map_err(|error| failed(&error))?;
        let fine = check
            .status
            .map_or((200..400).contains(&answer.status), |status| {
                status == answer.status
            });
        if fine {
            Ok(())
        } else {
            Err(not_yet(format!(
                "GET {} answered {}: {}",
                check.path,
                answer.status,
                first_line(&answer.body)
            )))
        }
    }

    async fn is_passing(
        &self,
        name: &str,
        side: Side,
        container: &Container,
    ) -> Result<Observation, HostError> {
        let services = self.reached.consul.services().await?;
        let occupant = Occupant {
            name: crate::plan::ContainerName {
                active: container.name.clone(),
                retired: container.name.clone(),
            },
            seen: Some(container.clone()),
            service_ids: Vec::new(),
            restart: String::new(),
        };
        let mine = self.services_of(&occupant, &services);
        let endpoint = self.endpoint(container);
        // Two ports may go by one name: what does not pass yet is what is waited for.
        let of_name = || {
            mine.iter()
                .filter(|service| service.service.service == name)
        };
        let unwell = of_name().find(|service| !service.is_passing());
        let Some(service) = unwell.or_else(|| of_name().next()) else {
            let others = mine
                .iter()
                .map(|service| service.service.service.clone())
                .collect::<Vec<_>>();
            let but = if others.is_empty() {
                String::new()
            } else {
                format!(" (it is there as {})", text::list(others))
            };
            return Ok(not_yet(format!(
                "Consul's agent has no `{name}` at {endpoint}{but}"
            )));
        };
        let endpoint = format!("{}:{}", self.reached.host.address, service.service.port);
        if let Some(reason) = operator_maintenance(service) {
            let detail = format!("someone put it into maintenance mode: {reason}");
            // What comes back as it was before is well, even if it is out of traffic.
            return Ok(match side {
                Side::Old => holds(detail),
                Side::New => not_yet(detail),
            });
        }
        if is_own_maintenance(service) {
            // A kept container that was in maintenance mode when it was stopped comes back in it, if its
            // service was never deregistered.
            let id = &service.service.id;
            self.reached.consul.set_maintenance(id, false, "").await?;
            return Ok(not_yet("in maintenance mode"));
        }
        Ok(match service.complaint() {
            None => holds(endpoint),
            Some(complaint) => not_yet(format!("Consul has `{name}` at {endpoint} as {complaint}")),
        })
    }

    async fn routed(
        &self,
        side: Side,
        around: &Surroundings,
        wanted: bool,
    ) -> Result<Observation, HostError> {
        let address = &self.reached.host.address;
        let occupants = self.occupants_of(side).await;
        let others = match side {
            Side::New => self.occupants_of(Side::Old).await,
            Side::Old => self.occupants_of(Side::New).await,
        };
        if wanted && side == Side::Old && self.is_kept_out(&occupants).await? {
            return Ok(holds("someone put it into maintenance mode"));
        }
        let ports_of = |occupant: &Occupant| occupant.ports(&self.on);
        let in_its_place: Vec<_> = others.iter().flat_map(ports_of).collect();
        for balancer in &around.balancers {
            let script = balancer
                .view
                .upstreams
                .render(&balancer.late)
                .map_err(|error| HostError::Fact(error.to_string()))?;
            let asked = balancer
                .reached
                .run(RemoteCommand::shell(script), LOOK)
                .await;
            let output = match asked {
                // A balancer whose host is gone routes nothing; nor must it keep an old container from
                // being brought back.
                Err(error) if error.is_unreachable() && (!wanted || side == Side::Old) => continue,
                asked => asked?,
            };
            let on = balancer.reached.name();
            if output.status != 0 {
                let said = first_line(if output.stderr.is_empty() {
                    &output.stdout
                } else {
                    &output.stderr
                });
                return Ok(not_yet(format!(
                    "cannot ask the balancer on `{on}`: {said}"
                )));
            }
            for occupant in &occupants {
                let ports = occupant.ports(&self.on);
                if wanted {
                    if let Some(missing) =
                        routes::missing(&output.stdout, address, &ports, &in_its_place)
                    {
                        return Ok(not_yet(format!(
                            "the balancer on `{on}` does not route to {missing}"
                        )));
                    }
                } else if let Some((_, port)) = ports
                    .iter()
                    .find(|(_, port)| routes::routes_to(&output.stdout, address, *port))
                {
                    return Ok(not_yet(format!(
                        "the balancer on `{on}` still routes to {address}:{port}"
                    )));
                }
            }
        }
        Ok(holds(String::new()))
    }

    /// Whether a person keeps one of these containers out of traffic.
    async fn is_kept_out(&self, occupants: &[Occupant]) -> Result<bool, HostError> {
        let services = self.reached.consul.services().await?;
        let mut own = occupants
            .iter()
            .flat_map(|occupant| self.services_of(occupant, &services));
        Ok(own.any(|service| operator_maintenance(service).is_some()))
    }

    async fn idle(&self, side: Side) -> Result<Observation, HostError> {
        let mut open = 0;
        for occupant in self.occupants_of(side).await {
            // On the host's network the table is the host's; the ports tell which are its own.
            let ports: Vec<_> = occupant
                .ports(&self.on)
                .into_iter()
                .map(|(inside, _)| inside)
                .collect();
            let Some(seen) = occupant.seen.filter(|seen| seen.state.pid > 0) else {
                continue;
            };
            let output = self
                .reached
                .run(connections::read_sockets(seen.state.pid), QUICK)
                .await?;
            // No such process: it has ended, and its connections with it.
            if output.status != 0 && !output.stderr.contains("No such file") {
                return Ok(not_yet(format!(
                    "cannot see its connections: {}",
                    first_line(&output.stderr)
                )));
            }
            if !output.stdout.is_empty() {
                open += connections::open_connections(&output.stdout, &ports);
            }
        }
        Ok(if open == 0 {
            holds(String::new())
        } else {
            not_yet(text::count(open, "open connection"))
        })
    }

    async fn gone(&self, side: Side) -> Result<Observation, HostError> {
        let services = self.reached.consul.services().await?;
        for occupant in self.occupants_of(side).await {
            if let Some(service) = self.services_of(&occupant, &services).first() {
                return Ok(not_yet(format!(
                    "Consul still has `{}`",
                    service.service.id
                )));
            }
        }
        Ok(holds(String::new()))
    }
}

/// Why a container is not going to become ready: it exited, or docker has started it again since.
fn how_it_ended(container: &Container, occupant: &Occupant) -> Option<String> {
    let state = &container.state;
    let restarted = occupant
        .seen
        .as_ref()
        .is_some_and(|seen| seen.state.started_at != state.started_at);
    if state.is_up() && !restarted {
        return None;
    }
    let why = match state {
        _ if !state.error.is_empty() => state.error.clone(),
        _ if state.oom_killed => "was killed for want of memory".to_owned(),
        _ if restarted && state.is_up() => "exited and was restarted by docker".to_owned(),
        _ => format!("exited with {}", state.exit_code),
    };
    Some(format!("the container `{}` {why}", container.name))
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("nothing")
        .chars()
        .take(200)
        .collect()
}
