//! The names of the containers in a slot, and whether they are free.

use std::collections::BTreeSet;

use super::changes::{ContainerName, Remark};
use crate::{
    command::typed,
    docker::{Container, container_base_name, own_name},
    facts::HostFacts,
    model::{HostName, Name, Order},
    release::Number,
};

/// The names that the containers of one slot have.
pub(super) struct Names<'a> {
    pub(super) environment: &'a Name,
    /// Whether it is a preview: then every name has the environment before it, also where it is free otherwise.
    pub(super) is_preview: bool,
    pub(super) recipe: &'a Name,
    pub(super) order: Order,
    pub(super) host: &'a HostName,
    pub(super) facts: &'a HostFacts,
    pub(super) instance: u16,
}

impl Names<'_> {
    /// Every name that a container gets must be free or become free. A container of this slot is renamed when
    /// its name is wanted.
    pub(super) fn check(
        &self,
        incoming: Option<&ContainerName>,
        outgoing: &[&Container],
        obstacles: &mut Vec<Remark>,
    ) {
        let outgoing: Vec<_> = outgoing.iter().map(|it| self.of(it)).collect();
        let names: BTreeSet<_> = incoming
            .into_iter()
            .chain(&outgoing)
            .flat_map(|name| [&name.active, &name.retired])
            .collect();
        for name in names {
            let Some(environment) = self.facts.names.get(name) else {
                continue;
            };
            let of_this_slot = |container: &Container| {
                container.identity().is_some_and(|identity| {
                    *identity.recipe == **self.recipe && identity.instance == self.instance
                })
            };
            let mut own = self.facts.containers.iter();
            let there = own.find(|container| container.name == *name);
            if there.is_some_and(of_this_slot) {
                continue;
            }
            let (whose, hint) = match there.and_then(Container::identity) {
                Some(identity) => (
                    format!("is of `{}`", identity.recipe),
                    "give one of the two recipes another name".to_owned(),
                ),
                None if environment.is_empty() => (
                    "shipit did not make".to_owned(),
                    format!(
                        "`{}` or `{}` on that host",
                        typed("docker rename", [name, &format!("{name}-old")]),
                        typed("docker rm --force", [name])
                    ),
                ),
                None => (
                    format!("belongs to the environment `{environment}`"),
                    format!(
                        "give the recipe another name there, or `{}` here",
                        self.recipe
                    ),
                ),
            };
            obstacles.push(Remark {
                host: Some(self.host.clone()),
                message: format!("a container named `{name}` exists that {whose}"),
                hint: Some(hint),
            });
        }
    }

    /// The names of a container that is there.
    pub(super) fn of(&self, container: &Container) -> ContainerName {
        let release = container.identity().map_or(0, |identity| identity.release);
        let retired = match self.order {
            // A container that already has a name of its own keeps it.
            Order::StartFirst | Order::BlueGreen => container.name.clone(),
            Order::StopFirst if container.name == self.unique_name(release) => {
                container.name.clone()
            }
            Order::StopFirst => self.prefixed(&self.unique_name(release)),
        };
        ContainerName {
            active: container.name.clone(),
            retired,
        }
    }

    /// The names of the container that a release makes.
    pub(super) fn of_new(&self, release: Number) -> ContainerName {
        ContainerName {
            active: self.prefixed(&self.base_name(release.0)),
            retired: self.prefixed(&self.unique_name(release.0)),
        }
    }

    /// The names of a stopped container that serves again. `release` is the release of this deploy, for a
    /// container without one of its own.
    pub(super) fn of_stopped(&self, container: &Container, release: Number) -> ContainerName {
        let identity = container.identity();
        let base = self.base_name(identity.map_or(release.0, |identity| identity.release));
        if container.name == base || container.name == self.own(&base) {
            return self.of(container);
        }
        ContainerName {
            active: self.prefixed(&base),
            retired: container.name.clone(),
        }
    }

    /// The name that no other release's container has.
    fn unique_name(&self, release: u64) -> String {
        container_base_name(self.recipe, Order::StartFirst, release, self.instance)
    }

    /// The name under which a release's container serves, where it is free.
    fn base_name(&self, release: u64) -> String {
        container_base_name(self.recipe, self.order, release, self.instance)
    }

    /// The name with the environment before it.
    fn own(&self, name: &str) -> String {
        own_name(self.environment, self.is_preview, name)
    }

    /// The name, or one with the environment before it where another environment's container has it.
    fn prefixed(&self, name: &str) -> String {
        let own = &**self.environment;
        if self.is_preview {
            return self.own(name);
        }
        match self.facts.names.get(name) {
            Some(environment) if !environment.is_empty() && environment != own => self.own(name),
            _ => name.to_owned(),
        }
    }
}
