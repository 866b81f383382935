//! What roles and accessories have in common: options, volumes, commands.

use crate::scaffold::{
    convert::{CONTAINER, Writer},
    yaml::{Node, Value},
};

/// docker's options that have a key here.
const KEYS: [(&str, &str); 8] = [
    ("restart", "restart"),
    ("network", "network"),
    ("net", "network"),
    ("user", "user"),
    ("hostname", "hostname"),
    ("workdir", "workdir"),
    ("entrypoint", "entrypoint"),
    ("platform", "platform"),
];

/// docker's options that are a list here.
const LISTS: [(&str, &str); 2] = [("publish", "publish"), ("volume", "volumes")];

/// `options`: words for `docker run`. What has a key here is written as that.
pub fn options(node: Option<Node>, writer: &mut Writer) {
    let Some(node) = node else {
        return;
    };
    let Value::Map(options) = &node.value else {
        writer.left_out(CONTAINER, "options", &node, "");
        return;
    };
    for (key, node) in &options.0 {
        let name = &*key.name;
        let Some(texts) = node.texts() else {
            writer.left_out(CONTAINER, &format!("options.{name}"), node, "");
            continue;
        };
        for text in texts {
            if let Some((_, to)) = KEYS.iter().find(|(known, _)| *known == name) {
                writer.set_text(CONTAINER, to, &text, "");
            } else if let Some((_, to)) = LISTS.iter().find(|(known, _)| *known == name) {
                writer.push(CONTAINER, to, &text, "");
            } else if node.is_true() {
                writer.option(&format!("--{name}"), None);
            } else if node.is_false() {
                writer.option(&format!("--{name}=false"), None);
            } else {
                writer.option(&format!("--{name}"), Some(&text));
            }
        }
    }
}

/// Whether `options` has a key.
pub fn has_option(options: Option<&Node>, name: &str) -> bool {
    options
        .and_then(Node::map)
        .is_some_and(|map| map.get(name).is_some())
}

/// `volumes`, in docker's notation.
pub fn volumes(node: Option<Node>, writer: &mut Writer) {
    let Some(node) = node else {
        return;
    };
    let Some(texts) = node.texts() else {
        writer.left_out(CONTAINER, "volumes", &node, "");
        return;
    };
    for text in texts {
        if text.starts_with(['.', '~']) {
            let why = "a path of the host begins with `/`";
            writer.note(
                CONTAINER,
                &format!("`volumes: {text}` has no counterpart: {why}"),
            );
        } else {
            writer.push(CONTAINER, "volumes", &text, "");
        }
    }
}

/// `cmd`, as a shell would divide it.
pub fn command(node: Option<Node>, writer: &mut Writer) {
    let Some(node) = node else {
        return;
    };
    let words = node.text().and_then(shlex::split);
    match words.filter(|words| !words.is_empty()) {
        Some(words) => {
            for word in words {
                writer.push(CONTAINER, "command", &word, "");
            }
        }
        None => writer.left_out(CONTAINER, "cmd", &node, "its words cannot be told apart"),
    }
}
