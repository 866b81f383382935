//! An accessory as a recipe.

use super::{
    container::{command, has_option, options, volumes},
    environment::env,
    hosts::{Hosts, addresses},
};
use crate::{
    diagnostic::Problem,
    scaffold::{
        convert::{CONTAINER, Writer, image, labels, logging},
        yaml::{Map, Node},
    },
};

/// The hosts of an accessory, added to a group of its name.
pub fn place(name: &str, accessory: &mut Map, hosts: &mut Hosts) {
    for key in ["host", "hosts"] {
        if let Some(node) = accessory.take(key) {
            for address in addresses(&node).0 {
                hosts.add(&address, name);
            }
        }
    }
    for key in ["role", "roles"] {
        if let Some(node) = accessory.take(key) {
            for role in node.texts().unwrap_or_default() {
                for address in hosts.of(&role) {
                    hosts.add(&address, name);
                }
            }
        }
    }
}

/// Writes an accessory; `service` is the name of the whole.
///
/// # Errors
///
/// An image that cannot be one.
pub fn write(
    service: &str,
    name: &str,
    mut accessory: Map,
    writer: &mut Writer,
) -> Result<(), Problem> {
    let given = accessory.take("options");
    match accessory.take("image") {
        Some(node) => match node.text() {
            Some(text) => {
                let of = format!("the accessory `{name}`");
                let image = image(text, &node.place, &of, writer)?;
                writer.set(CONTAINER, "image", image);
            }
            None => writer.left_out(CONTAINER, "image", &node, ""),
        },
        None => writer.note(CONTAINER, "the accessory has no image"),
    }
    if let Some(node) = accessory.take("port") {
        match node.text() {
            Some(port) => {
                // A port alone is the same on the host.
                let port = if port.contains(':') {
                    port.to_owned()
                } else {
                    format!("{port}:{port}")
                };
                writer.push(CONTAINER, "publish", &port, "8080");
            }
            None => writer.left_out(CONTAINER, "port", &node, ""),
        }
    }
    if !has_option(given.as_ref(), "restart") {
        writer.set(CONTAINER, "restart", "unless-stopped");
    }
    if let Some(node) = accessory.take("network") {
        match node.text() {
            Some(network) if !has_option(given.as_ref(), "network") => {
                writer.set_text(CONTAINER, "network", network, "");
            }
            _ => writer.left_out(CONTAINER, "network", &node, ""),
        }
    }
    command(accessory.take("cmd"), writer);
    options(given, writer);
    volumes(accessory.take("volumes"), writer);
    directories(accessory.take("directories"), service, name, writer);
    if let Some(node) = accessory.take("files") {
        let why = "`[[before]] upload = { from = \"…\", to = \"/srv/…\" }` places it, and `volumes` mounts it";
        writer.left_out(CONTAINER, "files", &node, why);
    }
    labels(accessory.take("labels"), writer);
    env(accessory.take("env"), writer, &[]);
    let own = accessory.take("logging");
    logging(own.as_ref(), writer);
    writer.left_over(CONTAINER, &format!("accessories.{name}"), accessory);
    Ok(())
}

/// Folders that Kamal keeps below the home of the account: volumes here.
fn directories(node: Option<Node>, service: &str, name: &str, writer: &mut Writer) {
    let Some(node) = node else {
        return;
    };
    let Some(texts) = node.texts() else {
        writer.left_out(CONTAINER, "directories", &node, "");
        return;
    };
    for text in texts {
        match text.split_once(':') {
            Some((local, _)) if local.starts_with('/') => {
                writer.push(CONTAINER, "volumes", &text, "");
            }
            Some((local, inside)) => {
                let volume = local.trim_matches('/').replace('/', "-");
                let volume = format!("{service}-{name}-{volume}:{inside}");
                writer.push(CONTAINER, "volumes", &volume, "");
                writer.note(
                    CONTAINER,
                    &format!("what is there already is in ~/{service}-{name}/{local} of the host; copy it into the volume, or name that folder"),
                );
            }
            None => writer.note(
                CONTAINER,
                &format!("`directories: {text}` has no counterpart"),
            ),
        }
    }
}
