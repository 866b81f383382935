//! The container that is checked, and where it is reached.

use crate::{
    docker::Container,
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
        let ports = self.container.tcp_host_ports();
        let address = &self.placement.reached.host.address;
        ports
            .first()
            .map_or_else(|| "running".to_owned(), |port| format!("{address}:{port}"))
    }

    /// Where a port of it is reached from its own host. Published ports are dialled at the address they are
    /// bound to, as docker's port may be bound to one address only.
    pub fn dial(&self, port: Option<u16>) -> Option<(String, u16)> {
        let host_port = self.container.host_port(port)?;
        let mut ports = self.container.ports.iter();
        let binding = ports.find(|binding| binding.host_port == host_port);
        let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0" || ip == "::";
        let ip = binding
            .map(|binding| binding.host_ip.clone())
            .filter(|ip| !any(ip));
        Some((ip.unwrap_or_else(|| "127.0.0.1".to_owned()), host_port))
    }
}
