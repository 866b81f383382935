//! Networks: services reach each other by name in the one that they share, which the recipes make where it is missing.

use super::shared::Resources;
use crate::scaffold::{
    convert::{CONTAINER, Writer},
    yaml::{Map, Node, Value},
};

/// The network of a service.
pub fn networks(name: &str, service: &mut Map, writer: &mut Writer, of_project: &Resources) {
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
    let real = of_project.real_name(&network);
    writer.set_text(CONTAINER, "network", &real, "");
    writer.option("--network-alias", Some(name));
    if let Some(mut settings) = settings {
        if let Some(aliases) = settings.get("aliases").and_then(Node::texts) {
            settings.take("aliases");
            for alias in aliases {
                writer.option("--network-alias", Some(&alias));
            }
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
        let real = of_project.real_name(&other);
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
        return pairs
            .map(|(key, node)| {
                let settings = writer.settings(CONTAINER, &format!("networks.{}", key.name), &node);
                (key.name, settings)
            })
            .collect();
    }
    let Some(names) = node.texts() else {
        writer.left_out(CONTAINER, "networks", &node, "");
        return Vec::new();
    };
    names.into_iter().map(|name| (name, None)).collect()
}
