//! Networks: services reach each other by name in the one that they share, which the recipes make where it is missing.

use crate::scaffold::{
    convert::{CONTAINER, Dialect, Writer, left_out},
    yaml::{Map, Node, Value},
};

/// The networks of the project.
pub struct Networks(Option<Node>);

impl Networks {
    /// As the file has them.
    pub fn new(node: Option<Node>) -> Self {
        Self(node)
    }

    fn settings(&self, name: &str) -> Option<&Map> {
        self.0.as_ref()?.map()?.get(name)?.map()
    }

    /// What the network is called on the host.
    fn real_name(&self, name: &str, project: &str) -> String {
        let settings = self.settings(name);
        let real = settings.and_then(|settings| settings.get("name")?.text());
        let is_external = settings
            .and_then(|settings| settings.get("external"))
            .is_some_and(Node::is_true);
        match real {
            Some(real) => real.to_owned(),
            None if is_external => name.to_owned(),
            None => format!("{project}_{name}"),
        }
    }

    /// What has no counterpart.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let node = self.0.as_ref();
        let networks = node.and_then(Node::map).into_iter().flat_map(|map| &map.0);
        networks.flat_map(|(key, node)| {
            let settings = node.map().into_iter().flat_map(|map| &map.0);
            settings
                .filter(|(setting, node)| {
                    let is_usual = node.text() == Some("bridge");
                    !matches!(&*setting.name, "name" | "external") && !is_usual
                })
                .map(|(setting, node)| {
                    let path = format!("networks.{}.{}", key.name, setting.name);
                    let why = "add it to the recipes' `docker network create`";
                    left_out(Dialect::Compose, &path, node, why)
                })
                .collect::<Vec<_>>()
        })
    }
}

/// The network of a service.
pub fn networks(
    name: &str,
    service: &mut Map,
    writer: &mut Writer,
    of_project: &Networks,
    project: &str,
) {
    if let Some(mode) = service.take("network_mode") {
        if let Some(node) = service.take("networks") {
            writer.left_out(CONTAINER, "networks", &node, "there is `network_mode`");
        }
        match mode.text() {
            Some(text) if !text.starts_with("service:") && !text.starts_with("container:") => {
                writer.set_text(CONTAINER, "network", text, "bridge");
            }
            _ => {
                let why = "a container shares no other one's network here";
                writer.left_out(CONTAINER, "network_mode", &mode, why);
            }
        }
        return;
    }
    let attached = attached(service.take("networks"), writer);
    let mut attached = attached.into_iter();
    let (network, settings) = attached.next().unwrap_or(("default".to_owned(), None));
    let real = of_project.real_name(&network, project);
    writer.set_text(CONTAINER, "network", &real, "");
    writer.option("--network-alias", Some(name));
    if let Some(mut settings) = settings {
        for alias in settings
            .take("aliases")
            .and_then(|node| node.texts())
            .into_iter()
            .flatten()
        {
            writer.option("--network-alias", Some(&alias));
        }
        for (key, option) in [("ipv4_address", "--ip"), ("ipv6_address", "--ip6")] {
            if let Some(node) = settings.take(key) {
                let why = format!(
                    "two containers cannot have it while one replaces the other; else `{option}`"
                );
                writer.left_out(CONTAINER, key, &node, &why);
            }
        }
        writer.left_over(CONTAINER, &format!("networks.{network}"), settings);
    }
    for (other, settings) in attached {
        let real = of_project.real_name(&other, project);
        let with = settings.map_or_else(String::new, |settings| {
            let pairs = settings.0.iter();
            let pairs = pairs.map(|(key, node)| format!("{}: {}", key.name, node.shown()));
            format!(" ({})", pairs.collect::<Vec<_>>().join(", "))
        });
        writer.note(
            CONTAINER,
            &format!("`networks: {other}`{with} has no counterpart: a container is in one network; `[[after]]` may run `docker network connect {real} {{container}}`"),
        );
    }
    make(writer, &real);
}

/// Has the network made where it is missing.
fn make(writer: &mut Writer, network: &str) {
    let quoted = shlex::try_quote(network).map_or_else(|_| network.to_owned(), Into::into);
    let (run, unless) = (
        format!("docker network create {quoted}"),
        format!("docker network inspect {quoted}"),
    );
    let (run, unless) = (writer.filled(&run, ""), writer.filled(&unless, ""));
    let before = writer.document.another("[[before]]");
    before.set("name", "make the network");
    before.set("run", run);
    before.set("unless", unless);
}

/// The networks that a service names, each with its settings.
fn attached(node: Option<Node>, writer: &mut Writer) -> Vec<(String, Option<Map>)> {
    let Some(node) = node else {
        return Vec::new();
    };
    if let Value::Map(map) = node.value {
        let pairs = map.0.into_iter();
        let settings = |node: Node| match node.value {
            Value::Map(settings) => Some(settings),
            _ => None,
        };
        return pairs
            .map(|(key, node)| (key.name, settings(node)))
            .collect();
    }
    let Some(names) = node.texts() else {
        writer.left_out(CONTAINER, "networks", &node, "");
        return Vec::new();
    };
    names.into_iter().map(|name| (name, None)).collect()
}
