//! The container that is checked, and where it is reached.

use crate::{
    docker::Container,
    model::HostAndPort,
    rollout::{machine::Side, slot::Placement},
};

/// The container that is checked.
pub(super) struct CheckedContainer<'a> {
    /// The slot that it is in.
    pub placement: &'a Placement,
    /// Which of the slot's containers it is.
    pub side: Side,
    /// As docker shows it now.
    pub container: &'a Container,
}

impl CheckedContainer<'_> {
    /// Where others reach it, for people.
    pub fn endpoint(&self) -> String {
        let address = self.address();
        let ports = self.container.ports.on_host(address);
        ports.first().map_or_else(
            || "running".to_owned(),
            |port| HostAndPort::new(address, *port).to_string(),
        )
    }

    /// Where a port of it is reached from its own host; without `port`, the only one that it publishes. Published
    /// ports are dialled at the address they are bound to, as docker's port may be bound to one address only.
    pub fn dial(&self, port: Option<u16>) -> Option<HostAndPort> {
        if self.container.uses_host_network() {
            return port.map(|port| HostAndPort::new("127.0.0.1", port));
        }
        let binding = self.container.ports.binding(self.address(), port)?;
        let host = match (binding.is_on_every_address(), binding.is_ipv6()) {
            (false, _) => &*binding.host_ip,
            (true, false) => "127.0.0.1",
            (true, true) => "::1",
        };
        Some(HostAndPort::new(host, binding.host_port))
    }

    fn address(&self) -> &str {
        &self.placement.reached.host.address
    }
}
