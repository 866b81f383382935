//! Keys that several tools write alike.

use super::writer::{CONTAINER, Writer};
use crate::{
    model::Name,
    scaffold::yaml::{Node, Value},
};

/// `labels`: names with values, as a mapping or as a list of `NAME=VALUE`.
pub fn labels(node: Option<Node>, writer: &mut Writer) {
    const LABELS: &str = "[container.labels]";
    let Some(node) = node else {
        return;
    };
    match node.pairs() {
        Some(pairs) => {
            for (name, value) in pairs {
                writer.set_text(LABELS, &name, value.as_deref().unwrap_or_default(), "");
            }
        }
        None => writer.left_out(LABELS, "labels", &node, ""),
    }
}

/// `logging`: the driver of the logs, and its options.
pub fn logging(node: Option<&Node>, writer: &mut Writer) {
    let Some(node) = node else {
        return;
    };
    let Value::Map(mut logging) = node.value.clone() else {
        writer.left_out(CONTAINER, "logging", node, "");
        return;
    };
    if let Some(driver) = logging.take_text("driver") {
        writer.option("--log-driver", Some(&driver));
    }
    if let Some(options) = logging.take("options") {
        match options.pairs() {
            Some(pairs) => {
                for (name, value) in pairs {
                    let value = value.unwrap_or_default();
                    writer.option("--log-opt", Some(&format!("{name}={value}")));
                }
            }
            None => writer.left_out(CONTAINER, "logging.options", &options, ""),
        }
    }
    writer.left_over(CONTAINER, "logging", logging);
}

/// A text as a name: what no name has becomes `-`.
pub fn named(text: &str) -> Name {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let text: String = text.chars().map(plain).collect();
    let text = text.trim_start_matches(['_', '.', '-']);
    let name = text.parse().or_else(|_| "app".parse());
    name.unwrap_or_else(|_| unreachable!("`app` is a name"))
}
