//! The ports under which a container is reached.

use std::collections::BTreeMap;

use crate::model::{is_ipv6, is_same_address, without_brackets};

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortBinding {
    /// The port in the container.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address on the host; empty for all of them.
    pub host_ip: String,
    /// The port on the host.
    pub host_port: u16,
}

impl PortBinding {
    /// Whether it is bound to all addresses of its family.
    pub fn is_on_every_address(&self) -> bool {
        ["", "0.0.0.0", "::"].contains(&without_brackets(&self.host_ip))
    }

    /// Whether it is one of IPv6.
    pub fn is_ipv6(&self) -> bool {
        is_ipv6(without_brackets(&self.host_ip))
    }

    /// How far it is from what leads to `address`: the other family is further than another address.
    fn distance_from(&self, address: &str) -> (bool, u8) {
        let other_family = !self.host_ip.is_empty() && self.is_ipv6() != is_ipv6(address);
        let place = if is_same_address(&self.host_ip, address) {
            0
        } else if self.is_on_every_address() {
            1
        } else {
            2
        };
        (other_family, place)
    }
}

/// The ports that a container publishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedPorts(pub Vec<PortBinding>);

impl PublishedPorts {
    /// How each TCP port is reached at its host's `address`, in the order of the ports.
    ///
    /// Docker gives a port one number for IPv4 and another for IPv6, which are mostly but not always the same.
    /// Who knows the host by one address uses one of them: that of IPv4, unless the address is IPv6.
    pub fn tcp(&self, address: &str) -> Vec<&PortBinding> {
        let mut nearest = BTreeMap::<u16, &PortBinding>::new();
        for binding in self.0.iter().filter(|port| port.protocol == "tcp") {
            let distance = |it: &PortBinding| it.distance_from(address);
            let known = nearest.entry(binding.container_port).or_insert(binding);
            if distance(binding) < distance(known) {
                *known = binding;
            }
        }
        nearest.into_values().collect()
    }

    /// The binding of one TCP port; without `port`, of the only one that it publishes.
    pub fn binding(&self, address: &str, port: Option<u16>) -> Option<&PortBinding> {
        let bindings = self.tcp(address);
        match port {
            Some(port) => bindings.into_iter().find(|it| it.container_port == port),
            None => match bindings[..] {
                [only] => Some(only),
                _ => None,
            },
        }
    }

    /// Every TCP port: the one in the container and the one on the host.
    pub fn pairs(&self, address: &str) -> Vec<(u16, u16)> {
        let bindings = self.tcp(address).into_iter();
        bindings
            .map(|binding| (binding.container_port, binding.host_port))
            .collect()
    }

    /// Every host port under which it is reached over TCP.
    pub fn on_host(&self, address: &str) -> Vec<u16> {
        let ports = self.pairs(address).into_iter();
        let mut ports: Vec<_> = ports.map(|(_, host_port)| host_port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bindings of one port in the container.
    fn bound(container_port: u16, protocol: &str, to: &[(&str, u16)]) -> Vec<PortBinding> {
        let binding = |(ip, port): &(&str, u16)| PortBinding {
            container_port,
            protocol: protocol.to_owned(),
            host_ip: (*ip).to_owned(),
            host_port: *port,
        };
        to.iter().map(binding).collect()
    }

    #[test]
    fn one_binding_of_each_port_counts() {
        let (v4, v6) = (("0.0.0.0", 32770), ("::", 32771));
        let (own, local) = (("10.0.0.1", 9000), ("127.0.0.1", 9001));
        for (bindings, address, host_port) in [
            (&[v4, v6][..], "10.0.0.1", 32770),
            (&[v6, v4], "10.0.0.1", 32770),
            (&[v4, v6], "web.example", 32770),
            (&[v4, v6], "fd88::1", 32771),
            (&[("", 7), v6], "10.0.0.1", 7),
            // Only one family is there.
            (&[v6], "10.0.0.1", 32771),
            (&[v4], "fd88::1", 32770),
            // What is bound to the host's address leads there, and the loopback does not.
            (&[local, v4, own, v6], "10.0.0.1", 9000),
            (&[local, v4, v6], "10.0.0.1", 32770),
        ] {
            let ports = PublishedPorts(bound(5000, "tcp", bindings));
            let shown = format!("{bindings:?} {address}");
            assert_eq!(ports.pairs(address), [(5000, host_port)], "{shown}");
            let only = ports.binding(address, None).expect("only one port");
            assert_eq!(only.host_port, host_port, "{shown}");
            assert_eq!(ports.on_host(address), [host_port], "{shown}");
        }
    }

    #[test]
    fn a_neighbours_other_number_is_not_its_own() {
        let instance = |v4, v6| PublishedPorts(bound(5000, "tcp", &[("0.0.0.0", v4), ("::", v6)]));
        let (first, second) = (instance(32780, 32779), instance(32781, 32780));
        assert_eq!(first.on_host("10.0.0.1"), [32780]);
        assert_eq!(second.on_host("10.0.0.1"), [32781]);
    }

    #[test]
    fn several_ports_are_in_their_order_and_need_a_name() {
        let all = [
            bound(10000, "tcp", &[("0.0.0.0", 1)]),
            bound(9100, "tcp", &[("0.0.0.0", 2)]),
            bound(53, "udp", &[("0.0.0.0", 3)]),
        ];
        let ports = PublishedPorts(all.concat());
        assert_eq!(ports.pairs("10.0.0.1"), [(9100, 2), (10000, 1)]);
        let binding = |port| ports.binding("10.0.0.1", port).map(|it| it.host_port);
        assert_eq!((binding(None), binding(Some(9100))), (None, Some(2)));
        assert_eq!((binding(Some(53)), binding(Some(80))), (None, None));
    }
}
