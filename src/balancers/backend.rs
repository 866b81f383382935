//! A container as balancers know it.

use crate::{
    hosts::{HostError, Reached},
    model::{ListedBackend, Name},
};

/// A container that requests may be routed to.
#[derive(Clone)]
pub struct Backend {
    /// The host that it runs on.
    pub host: Reached,
    /// Its name.
    pub container: String,
    /// Its TCP ports: in the container, and on the host.
    pub ports: Vec<(u16, u16)>,
    /// The one of its host that requests come to; `None` where it publishes none.
    pub port: Option<u16>,
    /// Its part of the requests beside those of the others: 1 to [`EQUAL_WEIGHT`](crate::model::EQUAL_WEIGHT).
    pub weight: u8,
    /// Whether it runs, as it was last seen.
    pub is_up: bool,
    /// Whether it may have been taken out before: it was not made just now.
    pub may_be_out: bool,
    /// The ids of its services in Consul's agent on its host, from when it was taken out. They find it when
    /// its ports no longer do, as docker may restart it on others.
    pub service_ids: Vec<String>,
}

impl Backend {
    /// The address under which balancers reach it.
    pub fn address(&self) -> &str {
        &self.host.host.address
    }

    /// As lists and commands have it.
    pub(super) fn listed(&self, recipe: &Name) -> ListedBackend {
        ListedBackend {
            recipe: recipe.clone(),
            host: self.host.name().clone(),
            address: self.address().to_owned(),
            container: self.container.clone(),
            port: self.port,
            ports: self.ports.clone(),
            weight: self.weight,
        }
    }

    /// Why balancers cannot be told of these containers, if one has no port.
    pub(super) fn lack_of_ports(backends: &[Self]) -> Option<HostError> {
        let without = backends.iter().find(|backend| backend.port.is_none())?;
        Some(HostError::Fact(format!(
            "`{}` publishes no TCP port, so no balancer can route to it",
            without.container
        )))
    }
}
