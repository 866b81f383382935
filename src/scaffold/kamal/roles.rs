//! A role as a recipe.

use super::{
    container::{command, has_option, options, volumes},
    environment::env,
    hosts::{Hosts, addresses},
    proxy::proxy,
};
use crate::scaffold::{
    convert::{CONTAINER, Writer, labels, logging},
    yaml::{Map, Node, Value},
};

/// The role that requests are sent to unless something else is said.
pub const PRIMARY: &str = "web";

/// A role with its hosts.
pub struct Role {
    /// What it is called; also the group of its hosts.
    pub name: String,
    /// What it says beside its hosts.
    pub settings: Map,
    /// The tags of its hosts.
    pub tags: Vec<(String, Node)>,
}

/// The roles of `servers`, whose hosts are added.
pub fn roles(servers: Option<&Node>, hosts: &mut Hosts) -> Vec<Role> {
    let Some(servers) = servers else {
        return Vec::new();
    };
    let Value::Map(map) = &servers.value else {
        return vec![role(PRIMARY, servers, hosts)];
    };
    map.0
        .iter()
        .map(|(key, node)| role(&key.name, node, hosts))
        .collect()
}

fn role(name: &str, node: &Node, hosts: &mut Hosts) -> Role {
    let (mut settings, listed) = match &node.value {
        Value::Map(map) => {
            let mut settings = map.clone();
            let listed = settings.take("hosts");
            (settings, listed)
        }
        Value::Null => (Map::default(), None),
        _ => (Map::default(), Some(node.clone())),
    };
    let (addresses, tags) = listed.as_ref().map(addresses).unwrap_or_default();
    for address in &addresses {
        hosts.add(address, name);
    }
    // The older spelling of whether requests are sent to it.
    if let Some(traefik) = settings.take("traefik") {
        settings.0.push((
            crate::scaffold::yaml::Key {
                name: "proxy".to_owned(),
                place: traefik.place.clone(),
            },
            traefik,
        ));
    }
    Role {
        name: name.to_owned(),
        settings,
        tags,
    }
}

/// What all roles share.
pub struct Common<'a> {
    /// `env` of the file.
    pub env: Option<&'a Node>,
    /// `proxy` of the file.
    pub proxy: Option<&'a Node>,
    /// `labels` of the file.
    pub labels: Option<&'a Node>,
    /// `volumes` of the file.
    pub volumes: Option<&'a Node>,
    /// `logging` of the file.
    pub logging: Option<&'a Node>,
    /// The variables whose values the inventories have.
    pub vars: &'a [String],
    /// The role that requests are sent to.
    pub primary: &'a str,
}

/// Writes what a role says, and what all share.
pub fn write(role: Role, common: &Common<'_>, writer: &mut Writer) {
    let Role {
        name,
        mut settings,
        tags,
    } = role;
    let given = settings.take("options");
    if !has_option(given.as_ref(), "restart") {
        writer.set(CONTAINER, "restart", "unless-stopped");
    }
    command(settings.take("cmd"), writer);
    options(given, writer);
    volumes(common.volumes.cloned(), writer);
    labels(common.labels.cloned(), writer);
    labels(settings.take("labels"), writer);
    env(both(common.env, settings.take("env")), writer, common.vars);
    let own = settings.take("logging");
    logging(own.as_ref().or(common.logging), writer);
    let own = settings.take("proxy");
    let sends = match &own {
        Some(node) if node.is_false() => false,
        Some(_) => true,
        None => name == common.primary,
    };
    if sends {
        let node = both(common.proxy, own.filter(|node| !node.is_true()));
        proxy(node.as_ref(), writer);
    }
    for (address, node) in tags {
        let why = "`vars` of that host";
        writer.left_out("", &format!("servers.{name}.hosts.{address}"), &node, why);
    }
    writer.left_over(CONTAINER, &format!("servers.{name}"), settings);
}

/// What all say with what one says over it.
fn both(common: Option<&Node>, own: Option<Node>) -> Option<Node> {
    let (Some(before), Some(above)) =
        (common.and_then(Node::map), own.as_ref().and_then(Node::map))
    else {
        return own.or_else(|| common.cloned());
    };
    let value = Value::Map(super::merge::over(before, above));
    own.map(|node| Node { value, ..node })
}
