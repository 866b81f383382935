//! `ports`, short and long.

use crate::scaffold::{
    convert::{CONTAINER, Writer},
    yaml::{Map, Node, Value},
};

/// What a port becomes that is a variable without a default.
const SOME_PORT: &str = "8080";

/// The published ports.
pub fn ports(service: &mut Map, writer: &mut Writer) {
    let Some(node) = service.take("ports") else {
        return;
    };
    let Value::List(items) = &node.value else {
        writer.left_out(CONTAINER, "ports", &node, "");
        return;
    };
    for item in items {
        match &item.value {
            Value::Text(text) => writer.push(CONTAINER, "publish", text, SOME_PORT),
            Value::Map(map) => match long(map) {
                Some((port, rest)) => {
                    writer.push(CONTAINER, "publish", &port, SOME_PORT);
                    writer.left_over(CONTAINER, "ports", rest);
                }
                None => writer.left_out(CONTAINER, "ports", item, ""),
            },
            _ => writer.left_out(CONTAINER, "ports", item, ""),
        }
    }
}

/// The long form in docker's notation, and what is left of it.
fn long(map: &Map) -> Option<(String, Map)> {
    let mut map = map.clone();
    let mut text = |key: &str| map.take_text(key);
    let target = text("target")?;
    let published = text("published");
    let protocol = text("protocol").filter(|protocol| protocol != "tcp");
    let ip = text("host_ip");
    // `host` and `ingress` are the same where each host publishes its own.
    if map
        .get("mode")
        .and_then(Node::text)
        .is_some_and(|mode| mode == "host")
    {
        map.take("mode");
    }
    let ip = ip.map_or_else(String::new, |ip| format!("{ip}:"));
    let published = match published {
        Some(published) => format!("{published}:"),
        None if ip.is_empty() => String::new(),
        None => ":".to_owned(),
    };
    let protocol = protocol.map_or_else(String::new, |protocol| format!("/{protocol}"));
    let port = format!("{ip}{published}{target}{protocol}");
    Some((port, map))
}
