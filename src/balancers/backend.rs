//! A container as balancers know it.

use crate::hosts::Reached;

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
    /// Whether it runs, as it was last seen.
    pub is_up: bool,
    /// The ids of its services in Consul's agent on its host, from when it was taken out. They find it when
    /// its ports no longer do, as docker may restart it on others.
    pub service_ids: Vec<String>,
}

impl Backend {
    /// The address under which balancers reach it.
    pub fn address(&self) -> &str {
        &self.host.host.address
    }
}
