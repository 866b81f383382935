//! The hosts of a destination: each once, with the roles and accessories that run there as groups.

use crate::scaffold::{
    convert::{Dialect, settled},
    fresh::Host,
    yaml::{Node, Value},
};

/// The hosts, in the order in which the file names them.
#[derive(Debug, Default)]
pub struct Hosts {
    /// The hosts.
    pub all: Vec<Host>,
    /// The addresses that were variables, as the file has them, with what they became.
    pub variables: Vec<(String, String)>,
}

impl Hosts {
    /// Puts a host into a group; it is named after the first one that it is in.
    pub fn add(&mut self, address: &str, group: &str) {
        let written = address;
        let address = settled(written, Dialect::Kamal);
        let variable = (written.to_owned(), address.clone());
        if address != written && !self.variables.contains(&variable) {
            self.variables.push(variable);
        }
        if let Some(host) = self.all.iter_mut().find(|host| host.address == address) {
            if !host.groups.iter().any(|known| known == group) {
                host.groups.push(group.to_owned());
            }
            return;
        }
        // One of these is free: there are more of them than hosts.
        let name = (1..=self.all.len() + 1)
            .map(|number| format!("{group}-{number}"))
            .find(|name| self.all.iter().all(|host| host.name != *name));
        self.all.push(Host {
            name: name.unwrap_or_default(),
            address,
            groups: vec![group.to_owned()],
        });
    }

    /// The addresses of a group.
    pub fn of(&self, group: &str) -> Vec<String> {
        let hosts = self.all.iter();
        let own = hosts.filter(|host| host.groups.iter().any(|known| known == group));
        own.map(|host| host.address.clone()).collect()
    }

    /// Whether a group has hosts.
    pub fn has(&self, group: &str) -> bool {
        self.all
            .iter()
            .any(|host| host.groups.iter().any(|known| known == group))
    }
}

/// The addresses of a list of hosts, where one may be a mapping from its address to its tags; and those tags.
pub fn addresses(node: &Node) -> (Vec<String>, Vec<(String, Node)>) {
    let (mut addresses, mut tags) = (Vec::new(), Vec::new());
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for item in items {
        match &item.value {
            Value::Text(text) => addresses.push(text.clone()),
            Value::Map(map) => {
                for (key, of) in &map.0 {
                    addresses.push(key.name.clone());
                    tags.push((key.name.clone(), of.clone()));
                }
            }
            Value::Null | Value::List(_) => {}
        }
    }
    (addresses, tags)
}
