//! One place of a container while its rollout runs: what is known of its containers, and the steps that
//! change them. Every step is idempotent, as a revert may ask for what is already so.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use crate::{
    balancers::maintenance::{MAINTENANCE, is_own_maintenance},
    consul::ServiceInstance,
    docker::{self, Container, Identity},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached},
    model::{HostRecipe, LateValues, Recipe, Task},
    plan::{ContainerName, SlotPlan},
    release::Number,
    rollout::machine::{Side, Step},
    tasks,
};

/// The longest that `docker run` may take: the image is there, so it makes and starts a container.
const RUN: Duration = Duration::from_secs(120);

/// A container as the rollout last saw it.
#[derive(Debug, Clone)]
pub struct Occupant {
    /// Its two names.
    pub name: ContainerName,
    /// As docker showed it while it ran; `None` before it was looked at.
    pub seen: Option<Container>,
    /// The ids of its services in the local agent, as found by address and port.
    pub service_ids: Vec<String>,
    /// The restart policy it has while it serves.
    pub restart: String,
}

impl Occupant {
    /// The ports under which it is reached: in the container, and on the host.
    pub fn ports(&self, host_recipe: &HostRecipe) -> Vec<(u16, u16)> {
        let Some(seen) = &self.seen else {
            return Vec::new();
        };
        if seen.network_mode == "host" {
            let http = host_recipe.ready.http.as_ref().and_then(|http| http.port);
            let port = http.or(host_recipe.ready.tcp);
            return port.map(|port| (port, port)).into_iter().collect();
        }
        seen.tcp_ports()
    }
}

/// One place of a container while its rollout runs.
pub struct SlotRun {
    /// The host.
    pub reached: Reached,
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// The recipe as resolved for this host.
    pub on: Arc<HostRecipe>,
    /// What was planned.
    pub plan: SlotPlan,
    /// The environment's name.
    pub environment: String,
    /// The release that is being made.
    pub release: Number,
    /// Where events go.
    pub events: Events,
    /// Whether it is the first slot of its rollout, where what runs `once` runs.
    pub is_first: bool,
    /// Whether the recipe's `before` and `after` belong to what is started: a rollback to a release whose
    /// own were others runs none.
    pub runs_tasks: bool,
    /// Its containers before anything was done, see [`Occupants::before`].
    pub occupants: Occupants,
}

/// The containers of a slot.
pub struct Occupants {
    new: Mutex<Vec<Occupant>>,
    old: Mutex<Vec<Occupant>>,
}

impl Occupants {
    /// What is known before anything was done: what the plan brings, and of what it lets go how docker
    /// showed it among the host's `containers`.
    pub fn before(plan: &SlotPlan, containers: &[Container]) -> Self {
        let policy = |wanted: Option<String>| wanted.unwrap_or_else(|| "no".to_owned());
        let occupant =
            |name: &ContainerName, seen: Option<Container>, restart: Option<String>| Occupant {
                name: name.clone(),
                seen,
                service_ids: Vec::new(),
                restart: policy(restart),
            };
        let new = plan
            .incoming
            .iter()
            .map(|incoming| occupant(&incoming.name, None, incoming.desired.spec.restart.clone()));
        let old = plan.outgoing.iter().map(|name| {
            let seen = containers
                .iter()
                .find(|container| container.name == name.active)
                .cloned();
            let restart = seen.as_ref().map(|container| container.restart.clone());
            occupant(name, seen, restart)
        });
        Self {
            new: Mutex::new(new.collect()),
            old: Mutex::new(old.collect()),
        }
    }
}

impl SlotRun {
    fn side(&self, side: Side) -> &Mutex<Vec<Occupant>> {
        match side {
            Side::New => &self.occupants.new,
            Side::Old => &self.occupants.old,
        }
    }

    /// The containers of one side, as last seen.
    pub async fn occupants_of(&self, side: Side) -> Vec<Occupant> {
        self.side(side).lock().await.clone()
    }

    /// The names of one side's containers, for people.
    pub fn names(&self, side: Side) -> String {
        let names: Vec<_> = match side {
            Side::New => self
                .plan
                .incoming
                .iter()
                .map(|incoming| &*incoming.name.active)
                .collect(),
            Side::Old => self
                .plan
                .outgoing
                .iter()
                .map(|name| &*name.active)
                .collect(),
        };
        names.join(", ")
    }

    /// What a template of this slot may name late.
    pub fn late_values(&self, side: Side) -> LateValues {
        let container = match side {
            Side::New => self.plan.incoming.as_ref().map(|incoming| &incoming.name),
            Side::Old => self.plan.outgoing.first(),
        };
        LateValues {
            release: self.release.to_string(),
            container: container
                .map(|name| name.active.clone())
                .unwrap_or_default(),
        }
    }

    /// Performs one step on the containers of one side.
    pub async fn perform(&self, side: Side, step: Step) -> Result<(), HostError> {
        match (step, side) {
            (Step::Start, Side::New) => self.start_new().await,
            (Step::Start, Side::Old) => self.start_old().await,
            (Step::EnterMaintenance, _) => self.enter_maintenance(side).await,
            (Step::Stop, _) => self.stop(side).await,
            (Step::Deregister, _) => self.deregister(side).await,
            (Step::Retire, _) => self.retire(side).await,
        }
    }

    async fn start_new(&self) -> Result<(), HostError> {
        let Some(incoming) = &self.plan.incoming else {
            return Ok(());
        };
        self.run_tasks(self.on.before.iter().filter(|task| !task.once))
            .await?;
        let name = &incoming.name;
        let there = self
            .inspect(&name.active)
            .await?
            .filter(|there| self.is_incoming(there));
        if incoming.exists || there.is_some() {
            self.raise(name, &self.restart_policy(Side::New, 0).await)
                .await?;
        } else {
            self.free_name(&name.active).await?;
            let identity = Identity {
                environment: self.environment.clone(),
                recipe: self.recipe.name.to_string(),
                release: self.release.0,
                instance: self.plan.instance,
                spec: incoming.hash.clone(),
            };
            let desired = &incoming.desired;
            let command = docker::run(
                &desired.spec,
                &name.active,
                &desired.image,
                &identity,
                &desired.secrets,
            );
            self.reached.expect(command, RUN).await?;
        }
        self.look_again(Side::New).await?;
        self.leave_maintenance(Side::New).await?;
        self.run_tasks(
            self.on
                .after
                .iter()
                .filter(|task| !task.once || self.is_first),
        )
        .await
    }

    /// What the recipe runs once before its rollout begins, such as a migration: before any slot is
    /// touched, so that it costs no slot its deadline and no container its service.
    pub async fn prepare_once(&self) -> Result<(), HostError> {
        self.run_tasks(self.on.before.iter().filter(|task| task.once))
            .await
    }

    async fn run_tasks(&self, tasks: impl Iterator<Item = &Task>) -> Result<(), HostError> {
        if !self.runs_tasks {
            return Ok(());
        }
        let late = self.late_values(Side::New);
        tasks::run_all(&self.reached, &self.recipe.name, tasks, &late, &self.events).await
    }

    /// Whether a container that has the incoming one's name is the one that this slot made, in a try that
    /// came no further, or is to start again.
    fn is_incoming(&self, there: &Container) -> bool {
        let hash = self
            .plan
            .incoming
            .as_ref()
            .map(|incoming| incoming.hash.as_str());
        self.is_of_this_place(there)
            && there.identity().is_some_and(|identity| {
                identity.release == self.release.0 && Some(identity.spec.as_str()) == hash
            })
    }

    /// Whether a container is one of this very place. Two environments that are deployed at the same time
    /// may both have planned a name, and what is the other's may not be touched.
    fn is_of_this_place(&self, there: &Container) -> bool {
        there.identity().is_some_and(|identity| {
            identity.environment == self.environment
                && *identity.recipe == *self.recipe.name
                && identity.instance == self.plan.instance
        })
    }

    async fn start_old(&self) -> Result<(), HostError> {
        let names: Vec<_> = self
            .side(Side::Old)
            .lock()
            .await
            .iter()
            .map(|occupant| occupant.name.clone())
            .collect();
        for (index, name) in names.iter().enumerate() {
            self.raise(name, &self.restart_policy(Side::Old, index).await)
                .await?;
        }
        self.look_again(Side::Old).await?;
        self.leave_maintenance(Side::Old).await
    }

    async fn restart_policy(&self, side: Side, index: usize) -> String {
        let occupants = self.side(side).lock().await;
        occupants
            .get(index)
            .map_or_else(|| "no".to_owned(), |occupant| occupant.restart.clone())
    }

    /// Brings a container up under its serving name, with the restart policy that it has while it serves.
    async fn raise(&self, name: &ContainerName, restart: &str) -> Result<(), HostError> {
        if name.active != name.retired && self.inspect(&name.retired).await?.is_some() {
            self.free_name(&name.active).await?;
            self.reached
                .expect(docker::rename(&name.retired, &name.active), QUICK)
                .await?;
        }
        self.reached
            .expect(docker::set_restart(&name.active, restart), QUICK)
            .await?;
        self.reached
            .expect(docker::start(&name.active), RUN)
            .await
            .map(|_| ())
    }

    /// Makes room for a container of this name: one of ours that still has it, stopped, gets the name that
    /// is its release's own. (The plan has made sure that nobody else's has it.)
    async fn free_name(&self, name: &str) -> Result<(), HostError> {
        let Some(there) = self.inspect(name).await? else {
            return Ok(());
        };
        let identity = there
            .identity()
            .filter(|identity| identity.environment == self.environment);
        let Some(identity) = identity else {
            return Err(HostError::Fact(format!(
                "a container named `{name}` that is not of `{}` came up meanwhile; the next deploy takes another name",
                self.environment
            )));
        };
        let unique = docker::container_base_name(
            &identity.recipe,
            crate::model::Order::StartFirst,
            identity.release,
            identity.instance,
        );
        if there.state.running || unique == name {
            return Err(HostError::Fact(format!(
                "the container `{name}` is in the way: it is {}",
                there.state.status
            )));
        }
        // Another environment's container of the same recipe and number may have that name.
        let kept = match self.inspect(&unique).await? {
            Some(_) => format!("{}-{unique}", self.environment),
            None => unique,
        };
        self.reached
            .expect(docker::rename(name, &kept), QUICK)
            .await
            .map(|_| ())
    }

    /// A container by name, if it is there.
    pub async fn inspect(&self, name: &str) -> Result<Option<Container>, HostError> {
        let output = self
            .reached
            .run(docker::inspect_containers(&[name]), QUICK)
            .await?;
        // Docker prints the empty list and fails when there is none, and fails in the same way when the
        // daemon does not answer; only its words tell the two apart.
        if output.status != 0 && !output.stderr.to_lowercase().contains("no such") {
            return Err(crate::hosts::failed(
                format!("docker inspect {name}"),
                &output,
            ));
        }
        let containers =
            docker::parse_containers(&output.stdout).map_err(|source| HostError::Output {
                command: format!("docker inspect {name}"),
                source,
            })?;
        Ok(containers.into_iter().next())
    }

    /// Looks at the containers of a side again: after a start they have other ports.
    async fn look_again(&self, side: Side) -> Result<(), HostError> {
        let names: Vec<_> = self
            .side(side)
            .lock()
            .await
            .iter()
            .map(|occupant| occupant.name.clone())
            .collect();
        for (index, name) in names.iter().enumerate() {
            let seen = self.inspect(&name.active).await?;
            let seen = seen.filter(|seen| self.is_of_this_place(seen));
            if let Some(occupant) = self.side(side).lock().await.get_mut(index) {
                occupant.seen = seen;
                occupant.service_ids.clear();
            }
        }
        Ok(())
    }

    /// Whether Consul has anything to do with this recipe's containers.
    pub fn is_registered(&self) -> bool {
        self.recipe.is_registered()
    }

    /// The services of one container in the local agent: found by address and port, never by a guessed id.
    pub fn services_of<'s>(
        &self,
        occupant: &Occupant,
        services: &'s [ServiceInstance],
    ) -> Vec<&'s ServiceInstance> {
        let ports = occupant.ports(&self.on);
        let address = &self.reached.host.address;
        services
            .iter()
            .filter(|service| {
                occupant.service_ids.contains(&service.service.id)
                    || ports.iter().any(|(_, port)| service.is_at(address, *port))
            })
            .collect()
    }

    async fn enter_maintenance(&self, side: Side) -> Result<(), HostError> {
        if !self.is_registered() {
            return Ok(());
        }
        // Docker may have restarted it since it was looked at, and then it has other ports.
        self.look_again(side).await?;
        let services = self.reached.consul.services().await?;
        let reason = match side {
            Side::Old => format!(
                "shipit {}: replaced by {}",
                self.release,
                self.names(Side::New)
            ),
            Side::New => format!("{MAINTENANCE}{}: taken back", self.release),
        };
        let mut occupants = self.side(side).lock().await;
        for occupant in occupants.iter_mut() {
            let ids: Vec<_> = self
                .services_of(occupant, &services)
                .iter()
                .map(|s| s.service.id.clone())
                .collect();
            for id in &ids {
                self.reached
                    .consul
                    .set_maintenance(id, true, &reason)
                    .await?;
            }
            if ids.is_empty()
                && occupant
                    .seen
                    .as_ref()
                    .is_some_and(|seen| seen.state.is_up())
            {
                let name = &occupant.name.active;
                let message = format!(
                    "Consul's agent has no service for `{name}`, so nothing takes traffic away from it"
                );
                let (host, hint) = (Some(self.reached.name().to_string()), None);
                self.events.send(EventKind::Warning {
                    host,
                    message,
                    hint,
                });
            }
            occupant.service_ids = ids;
        }
        Ok(())
    }

    async fn leave_maintenance(&self, side: Side) -> Result<(), HostError> {
        if !self.is_registered() {
            return Ok(());
        }
        let services = self.reached.consul.services().await?;
        for occupant in self.occupants_of(side).await {
            for service in self.services_of(&occupant, &services) {
                // One that a person asked for is theirs to end.
                if is_own_maintenance(service) {
                    self.reached
                        .consul
                        .set_maintenance(&service.service.id, false, "")
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn stop(&self, side: Side) -> Result<(), HostError> {
        if side == Side::New {
            // What an earlier, cut-off deploy left in maintenance mode must serve again when this one goes.
            self.leave_maintenance(Side::Old).await?;
        }
        for occupant in self.occupants_of(side).await {
            let Some(there) = self.current(&occupant).await? else {
                continue;
            };
            // A container that docker restarts over and over would come back between stop and retire.
            self.reached
                .expect(docker::set_restart(&there.name, "no"), QUICK)
                .await?;
            self.reached
                .expect(docker::stop(&there.name), there.stop_timeout + QUICK)
                .await?;
        }
        Ok(())
    }

    /// A container under whichever of its two names it has now.
    async fn current(&self, occupant: &Occupant) -> Result<Option<Container>, HostError> {
        for name in [&occupant.name.active, &occupant.name.retired] {
            if let Some(there) = self.inspect(name).await?
                && self.is_of_this_place(&there)
                && occupant
                    .seen
                    .as_ref()
                    .is_none_or(|seen| seen.id == there.id)
            {
                return Ok(Some(there));
            }
        }
        Ok(None)
    }

    async fn deregister(&self, side: Side) -> Result<(), HostError> {
        let services = self.reached.consul.services().await?;
        for occupant in self.occupants_of(side).await {
            for service in self.services_of(&occupant, &services) {
                self.reached.consul.deregister(&service.service.id).await?;
            }
        }
        Ok(())
    }

    async fn retire(&self, side: Side) -> Result<(), HostError> {
        for occupant in self.occupants_of(side).await {
            let ContainerName { active, retired } = &occupant.name;
            let Some(name) = self.current(&occupant).await?.map(|there| there.name) else {
                continue;
            };
            self.reached
                .expect(docker::set_restart(&name, "no"), QUICK)
                .await?;
            if name == *active && active != retired {
                self.reached
                    .expect(docker::rename(active, retired), QUICK)
                    .await?;
            }
        }
        Ok(())
    }

    /// The last lines that a side's containers have logged, for an error.
    pub async fn last_logs(&self, side: Side, lines: u32) -> Vec<(String, Vec<String>)> {
        let mut logs = Vec::new();
        for occupant in self.occupants_of(side).await {
            for name in [&occupant.name.active, &occupant.name.retired] {
                let Ok(output) = self
                    .reached
                    .run(docker::container_logs(name, lines), QUICK)
                    .await
                else {
                    continue;
                };
                if output.status == 0 {
                    logs.push((
                        name.clone(),
                        output.stdout.lines().map(str::to_owned).collect(),
                    ));
                    break;
                }
            }
        }
        logs
    }
}
