//! The containers of a slot, as they were last seen.

use tokio::sync::Mutex;

use crate::{
    docker::Container,
    facts::backends::ports_of,
    model::HostRecipe,
    plan::{ContainerName, SlotPlan},
    rollout::machine::Side,
};

/// A container of a slot, as it was last seen.
#[derive(Debug, Clone)]
pub struct SlotContainer {
    /// Its two names.
    pub name: ContainerName,
    /// As docker showed it while it ran; `None` before it was looked at.
    pub inspected: Option<Container>,
    /// The ids of its services in the local agent, as found by address and port.
    pub service_ids: Vec<String>,
    /// The restart policy it has while it serves.
    pub restart_policy: String,
}

impl SlotContainer {
    /// A container before anything is done. Docker's own default is not to restart it.
    fn before(name: &ContainerName, inspected: Option<Container>, restart: Option<String>) -> Self {
        Self {
            name: name.clone(),
            inspected,
            service_ids: Vec::new(),
            restart_policy: restart.unwrap_or_else(|| "no".to_owned()),
        }
    }

    /// Whether it was up when it was last seen.
    pub fn is_up(&self) -> bool {
        let seen = self.inspected.as_ref();
        seen.is_some_and(|seen| seen.state.is_up())
    }

    /// The ports under which it is reached at its host's `address`: in the container, and on the host.
    pub fn ports(&self, host_recipe: &HostRecipe, address: &str) -> Vec<(u16, u16)> {
        let seen = self.inspected.as_ref();
        seen.map_or_else(Vec::new, |seen| ports_of(seen, host_recipe, address))
    }
}

/// The containers of a slot.
pub struct SlotContainers {
    new: Mutex<Vec<SlotContainer>>,
    old: Mutex<Vec<SlotContainer>>,
}

impl SlotContainers {
    /// What is known before anything was done: what the plan brings, and of what it lets go how docker
    /// showed it among the host's `containers`.
    pub fn before(plan: &SlotPlan, containers: &[Container]) -> Self {
        let new = plan.incoming.iter().map(|incoming| {
            let restart = incoming.desired.spec.restart.clone();
            SlotContainer::before(&incoming.name, None, restart)
        });
        let old = plan.outgoing.iter().map(|name| {
            let mut containers = containers.iter();
            let seen = containers
                .find(|container| [&name.active, &name.retired].contains(&&container.name));
            let restart = plan.outgoing_restart.clone();
            let restart = restart.or_else(|| seen.map(|container| container.restart.clone()));
            SlotContainer::before(name, seen.cloned(), restart)
        });
        Self {
            new: Mutex::new(new.collect()),
            old: Mutex::new(old.collect()),
        }
    }

    /// Those of one side.
    pub(super) fn of(&self, side: Side) -> &Mutex<Vec<SlotContainer>> {
        match side {
            Side::New => &self.new,
            Side::Old => &self.old,
        }
    }
}
