//! `proxy`: Kamal's own balancer. What it asks of a container becomes `[ready]`; who sends it requests is up to a
//! balancer of the user's.

use toml::Value;

use crate::scaffold::{
    convert::{CONTAINER, Writer},
    yaml::{Map, Node, Value as Yaml},
};

/// Where it is said.
const READY: &str = "[ready]";

/// What Kamal asks where nothing is said.
const PATH: &str = "/up";

/// The port that an app listens on where nothing is said.
const PORT: i64 = 80;

/// A role that requests are sent to.
pub fn proxy(node: Option<&Node>, writer: &mut Writer) {
    let mut proxy = match node.map(|node| &node.value) {
        Some(Yaml::Map(map)) => map.clone(),
        _ => Map::default(),
    };
    let port = proxy.get("app_port");
    let port = port.and_then(|node| node.text()?.parse().ok());
    if port.is_some() {
        proxy.take("app_port");
    }
    let port = port.unwrap_or(PORT);
    writer
        .document
        .section(CONTAINER)
        .push("publish", port.to_string());
    let check = proxy.get("healthcheck").and_then(Node::map).cloned();
    if check.is_some() {
        proxy.take("healthcheck");
    }
    let mut check = check.unwrap_or_default();
    let path = check.take("path");
    let path = path.as_ref().and_then(Node::text).unwrap_or(PATH);
    let path = writer.filled(path, "");
    // The app may publish other ports beside it.
    let request = [("path", path.into()), ("port", Value::from(port))];
    let request = request.map(|(key, value)| (key.to_owned(), value));
    writer.set(READY, "http", Value::Table(request.into_iter().collect()));
    for (key, why) in [
        ("interval", "it is asked every second"),
        (
            "timeout",
            "`healthy_deadline` of `[rollout]` is how long a container may take",
        ),
    ] {
        if let Some(node) = check.take(key) {
            writer.left_out(READY, &format!("proxy.healthcheck.{key}"), &node, why);
        }
    }
    writer.left_over(READY, "proxy.healthcheck", check);
    writer.note(
        READY,
        "kamal-proxy has no counterpart: docker chooses the port, and a balancer of yours sends requests there (docs/consul.md); or publish a fixed one, such as `80:3000`",
    );
    for key in ["host", "hosts", "ssl"] {
        if let Some(node) = proxy.take(key) {
            let why = "your balancer's files say it";
            writer.left_out(READY, &format!("proxy.{key}"), &node, why);
        }
    }
    writer.left_over(READY, "proxy", proxy);
}
