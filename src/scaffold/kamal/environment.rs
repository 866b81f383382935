//! `env`: plain values and secret ones.

use crate::scaffold::{
    convert::Writer,
    yaml::{Map, Node, Value},
};

/// Where it is said.
const ENV: &str = "[container.env]";

/// The variables: `clear` and `secret`, or names with values. `vars` are those whose values the inventories have.
pub fn env(node: Option<Node>, writer: &mut Writer, vars: &[String]) {
    let Some(node) = node else {
        return;
    };
    let Value::Map(mut env) = node.value.clone() else {
        writer.left_out(ENV, "env", &node, "");
        return;
    };
    if !has_parts(&env) {
        clear(&node, writer, vars);
        return;
    }
    if let Some(node) = env.take("clear") {
        clear(&node, writer, vars);
    }
    if let Some(node) = env.take("secret") {
        secret(&node, writer);
    }
    if let Some(node) = env.take("tags") {
        let why = "`vars` of a host or a group with `{{VAR}}` in `[container.env]`";
        writer.left_out(ENV, "env.tags", &node, why);
    }
    writer.left_over(ENV, "env", env);
}

/// Whether the variables stand in `clear`, `secret` and `tags`, and not in the mapping itself.
fn has_parts(env: &Map) -> bool {
    let parts = ["clear", "secret", "tags"];
    parts.iter().any(|part| env.get(part).is_some())
}

fn clear(node: &Node, writer: &mut Writer, vars: &[String]) {
    let Some(pairs) = node.pairs() else {
        writer.left_out(ENV, "env.clear", node, "");
        return;
    };
    for (name, value) in pairs {
        if vars.contains(&name) {
            writer.set(ENV, &name, format!("{{{{{name}}}}}"));
        } else {
            let value = value.unwrap_or_default();
            writer.set_text(ENV, &name, &value, "");
        }
    }
}

/// The names of secrets, each perhaps with what it is called where it comes from.
fn secret(node: &Node, writer: &mut Writer) {
    let Some(names) = node.texts() else {
        writer.left_out(ENV, "env.secret", node, "");
        return;
    };
    if names.is_empty() {
        return;
    }
    writer.note(
        "[container.secrets]",
        "the values were in .kamal/secrets; here they are variables of whoever deploys, or `{ command = \"…\" }`, or sealed",
    );
    for name in names {
        match name.split_once(':') {
            Some((name, from)) => writer.secret(name, from),
            None => writer.secret(&name, &name),
        }
    }
}

/// The plain variables of an `env`, by name.
pub fn plain(env: Option<&Node>) -> Vec<(String, Option<String>)> {
    let Some(map) = env.and_then(Node::map) else {
        return Vec::new();
    };
    let clear = if has_parts(map) {
        map.get("clear")
    } else {
        env
    };
    clear.and_then(Node::pairs).unwrap_or_default()
}

/// An `env` without its plain variables: what is left of a destination's.
pub fn without_plain(env: &Map) -> Map {
    let mut rest = if has_parts(env) {
        env.clone()
    } else {
        Map::default()
    };
    rest.take("clear");
    rest
}
