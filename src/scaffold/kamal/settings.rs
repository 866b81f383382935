//! What a file says beside its services: logins, SSH, how many at once.

use crate::scaffold::{
    convert::{CONTAINER, Dialect, Writer, duration, left_out, settled},
    document::{Document, quoted},
    yaml::{Map, Node, Value},
};

/// Keys that have no counterpart for a reason.
const REASONS: [(&str, &str); 12] = [
    (
        "aliases",
        "`shipit exec`, and recipes of commands for `shipit run`",
    ),
    ("asset_path", "assets are the image's"),
    (
        "builder",
        "build and push the image before a deploy, as `docker build` does",
    ),
    ("error_pages_path", "your balancer has them"),
    (
        "hooks_path",
        "`[[before]]` and `[[after]]` run on the hosts",
    ),
    ("minimum_version", "it is about Kamal"),
    (
        "require_destination",
        "of several environments one is named, or has `default = true`",
    ),
    ("run_directory", "it is about Kamal"),
    (
        "secrets_path",
        "`[container.secrets]` says where values come from",
    ),
    (
        "sshkit",
        "shipit has one connection to each host, to all at once",
    ),
    ("traefik", "a balancer of yours sends the requests"),
    ("allow_empty_roles", "a recipe without hosts is left out"),
];

/// Writes the settings of an inventory, and takes them out of the file.
pub fn inventory(file: &mut Map, document: &mut Document, registry: Option<&Node>) {
    ssh(file.take("ssh"), document);
    if let Some(node) = registry {
        login(node, document);
    }
    if let Some(node) = file.take("retain_containers") {
        match node.text().and_then(|text| text.parse::<i64>().ok()) {
            Some(number) if number > 0 => {
                document.section("[releases]").set("keep", number);
            }
            _ => note(document, "", "retain_containers", &node, ""),
        }
    }
    for (key, why) in REASONS {
        if let Some(node) = file.take(key) {
            note(document, "", key, &node, why);
        }
    }
}

/// Sets a key of a file that has no variables.
fn set(document: &mut Document, section: &str, key: &str, text: &str) {
    let settled = settled(text, Dialect::Kamal);
    let section = document.section(section);
    let has_variables = settled != text;
    section.set(key, settled);
    if has_variables {
        section.remark(&format!("kamal: {text}; there are no variables here"));
    }
}

fn note(document: &mut Document, section: &str, key: &str, node: &Node, why: &str) {
    document
        .section(section)
        .note(left_out(Dialect::Kamal, key, node, why));
}

/// All that is left of a file.
pub fn left_over(file: Map, document: &mut Document) {
    for (key, node) in file.0 {
        note(document, "", &key.name, &node, "");
    }
}

fn ssh(node: Option<Node>, document: &mut Document) {
    const SSH: &str = "[ssh]";
    let mut ssh = Map::default();
    match node {
        Some(Node {
            value: Value::Map(map),
            ..
        }) => ssh = map,
        Some(node) if !node.is_null() => note(document, SSH, "ssh", &node, ""),
        _ => {}
    }
    let user = ssh.take("user");
    let user = user.as_ref().and_then(Node::text).unwrap_or("root");
    set(document, SSH, "user", user);
    if let Some(port) = ssh.take("port") {
        match port.text().and_then(|text| text.parse::<i64>().ok()) {
            Some(number) => {
                document.section(SSH).set("port", number);
            }
            None => note(document, SSH, "ssh.port", &port, ""),
        }
    }
    if let Some(keys) = ssh.take("keys") {
        match keys.texts() {
            Some(files) => {
                document.section(SSH).set("identity_file", files);
            }
            None => note(document, SSH, "ssh.keys", &keys, ""),
        }
    }
    if let Some(proxy) = ssh.take("proxy") {
        match proxy.text() {
            // Kamal's own account there, where none is named.
            Some(jump) if jump.contains('@') => {
                document.section(SSH).set("proxy_jump", jump);
            }
            Some(jump) => {
                document
                    .section(SSH)
                    .set("proxy_jump", format!("root@{jump}"));
            }
            None => note(document, SSH, "ssh.proxy", &proxy, ""),
        }
    }
    for (key, node) in ssh.0 {
        note(document, SSH, &format!("ssh.{}", key.name), &node, "");
    }
}

/// The login of a registry.
fn login(node: &Node, document: &mut Document) {
    let Value::Map(mut registry) = node.value.clone() else {
        note(document, "", "registry", node, "");
        return;
    };
    let server = registry.take("server");
    let server = server.as_ref().and_then(Node::text).unwrap_or("docker.io");
    let settled_server = settled(server, Dialect::Kamal);
    let server = settled_server.split('/').next().unwrap_or(server);
    let username = registry.take("username");
    let password = registry.take("password");
    let header = format!("[registries.{}]", quoted(server));
    match (
        username.as_ref().and_then(value_of),
        password.as_ref().and_then(value_of),
    ) {
        (Some((username, is_variable)), Some((password, _))) => {
            let section = document.section(&header);
            section.set("username", settled(&username, Dialect::Kamal));
            if is_variable {
                section.remark("kamal: the name of a secret; write the user's");
            } else if settled(&username, Dialect::Kamal) != username {
                section.remark(&format!("kamal: {username}"));
            }
            let mut source = toml::Table::new();
            source.insert("env".to_owned(), password.into());
            section.set("password", source);
        }
        _ => {
            for (key, node) in [("username", username), ("password", password)] {
                if let Some(node) = node {
                    note(document, "", &format!("registry.{key}"), &node, "");
                }
            }
        }
    }
    for (key, node) in registry.0 {
        note(document, "", &format!("registry.{}", key.name), &node, "");
    }
}

/// A value, or the name of a secret that has it: `[KAMAL_REGISTRY_PASSWORD]`.
fn value_of(node: &Node) -> Option<(String, bool)> {
    let texts = node.texts()?;
    let [text] = texts.as_slice() else {
        return None;
    };
    Some((text.clone(), matches!(node.value, Value::List(_))))
}

/// What a file says of every rollout.
pub fn rollout(file: &mut Map) -> impl Fn(&mut Writer) + use<> {
    const ROLLOUT: &str = "[rollout]";
    let boot = file.take("boot");
    let times = [
        ("deploy_timeout", ROLLOUT, "healthy_deadline"),
        ("readiness_delay", ROLLOUT, "min_healthy_time"),
        ("drain_timeout", CONTAINER, "stop_timeout"),
        ("stop_wait_time", CONTAINER, "stop_timeout"),
    ]
    .map(|(key, section, to)| (key, section, to, file.take(key)));
    move |writer| {
        for (key, section, to, node) in &times {
            let Some(node) = node else { continue };
            match node.text().and_then(duration) {
                Some(time) if !writer.document.section(section).has(to) => {
                    writer.set(section, to, time);
                }
                _ => writer.left_out(section, key, node, ""),
            }
        }
        let Some(boot) = &boot else { return };
        let Value::Map(mut boot) = boot.value.clone() else {
            writer.left_out(ROLLOUT, "boot", boot, "");
            return;
        };
        if let Some(limit) = boot.take("limit") {
            match limit.text() {
                Some(text) => match text.parse::<i64>() {
                    Ok(number) => writer.set(ROLLOUT, "max_parallel", number),
                    Err(_) => writer.set(ROLLOUT, "max_parallel", text),
                },
                None => writer.left_out(ROLLOUT, "boot.limit", &limit, ""),
            }
        }
        if let Some(wait) = boot.take("wait") {
            let why = "the next container is replaced when the one before is healthy";
            writer.left_out(ROLLOUT, "boot.wait", &wait, why);
        }
        writer.left_over(ROLLOUT, "boot", boot);
    }
}
