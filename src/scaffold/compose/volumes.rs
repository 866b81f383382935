//! `volumes` of services, and those of the project.

use super::shared::Resources;
use crate::scaffold::{
    convert::{CONTAINER, Writer},
    yaml::{Map, Node, Value},
};

/// The volumes of a service.
pub fn volumes(service: &mut Map, writer: &mut Writer, of_project: &Resources) {
    let Some(node) = service.take("volumes") else {
        return;
    };
    let Value::List(items) = &node.value else {
        writer.left_out(CONTAINER, "volumes", &node, "");
        return;
    };
    for item in items {
        match &item.value {
            Value::Text(text) => short(text, item, writer, of_project),
            Value::Map(map) => long(map, item, writer, of_project),
            _ => writer.left_out(CONTAINER, "volumes", item, ""),
        }
    }
}

const RELATIVE: &str = "the path is one beside the file; `upload` of `[[before]]` places a file, and an absolute path of the host is taken";

fn short(text: &str, item: &Node, writer: &mut Writer, of_project: &Resources) {
    let (source, rest) = text.split_once(':').unwrap_or(("", text));
    if source.starts_with(['.', '~']) {
        writer.left_out(CONTAINER, "volumes", item, RELATIVE);
    } else if source.is_empty() || source.starts_with(['/', '$']) {
        writer.push(CONTAINER, "volumes", text, "/srv/data");
    } else {
        let text = format!("{}:{rest}", of_project.real_name(source));
        writer.push(CONTAINER, "volumes", &text, "");
    }
}

fn long(map: &Map, item: &Node, writer: &mut Writer, of_project: &Resources) {
    let mut rest = map.clone();
    let mut text = |key: &str| rest.take_text(key);
    let kind = text("type").unwrap_or_else(|| "volume".to_owned());
    let target = text("target");
    let source = text("source");
    let Some(target) = target else {
        writer.left_out(CONTAINER, "volumes", item, "");
        return;
    };
    let read_only = rest
        .get("read_only")
        .map(|node| (node.is_true(), node.is_false()));
    let mode = match read_only {
        Some((true, _)) => ":ro",
        _ => "",
    };
    match (&*kind, source) {
        ("tmpfs", None) => writer.option("--tmpfs", Some(&target)),
        ("bind", Some(source)) if source.starts_with(['.', '~']) => {
            writer.left_out(CONTAINER, "volumes", item, RELATIVE);
            return;
        }
        ("volume" | "bind", Some(source)) => {
            let source = if kind == "volume" {
                of_project.real_name(&source)
            } else {
                source
            };
            let volume = format!("{source}:{target}{mode}");
            writer.push(CONTAINER, "volumes", &volume, "/srv/data");
        }
        ("volume", None) => writer.push(CONTAINER, "volumes", &target, ""),
        _ => {
            writer.left_out(CONTAINER, "volumes", item, "");
            return;
        }
    }
    if let Some((true, _) | (_, true)) = read_only {
        rest.take("read_only");
    }
    writer.left_over(CONTAINER, "volumes", rest);
}
