//! One service as one recipe.

use super::{
    deploy::deploy,
    environment::environment,
    health::healthcheck,
    keys::{self, keys},
    networks::networks,
    ports::ports,
    shared::Shared,
    volumes::volumes,
};
use crate::{
    diagnostic::Problem,
    scaffold::{
        convert::{self, CONTAINER, Dialect, Writer},
        document::Document,
        yaml::{Key, Map, Node, Value},
    },
};

/// The recipe of a service.
///
/// # Errors
///
/// An image that cannot be one.
pub fn service(key: &Key, mut service: Map, shared: &Shared) -> Result<Document, Problem> {
    let name = &*key.name;
    let mut writer = Writer::new(Dialect::Compose, "", "all");
    requires(&mut service, &mut writer, shared);
    image(key, &mut service, &mut writer, shared)?;
    for key in ["entrypoint", "command"] {
        if let Some(node) = service.take(key) {
            command(key, &node, &mut writer);
        }
    }
    environment(&mut service, &mut writer);
    ports(&mut service, &mut writer);
    volumes(&mut service, &mut writer, &shared.volumes);
    for (key, to) in [
        ("platform", "platform"),
        ("user", "user"),
        ("hostname", "hostname"),
        ("working_dir", "workdir"),
    ] {
        as_it_is(&mut service, key, to, &mut writer);
    }
    deploy(&mut service, &mut writer);
    as_it_is(&mut service, "restart", "restart", &mut writer);
    keys::time(
        &mut service,
        "stop_grace_period",
        CONTAINER,
        "stop_timeout",
        &mut writer,
    );
    networks(name, &mut service, &mut writer, &shared.networks);
    healthcheck(&mut service, &mut writer);
    keys(service, &mut writer);
    Ok(writer.document)
}

/// A key whose text means the same here.
fn as_it_is(service: &mut Map, key: &str, to: &str, writer: &mut Writer) {
    let Some(node) = service.take(key) else {
        return;
    };
    match node.text() {
        Some(text) => writer.set_text(CONTAINER, to, text, ""),
        None => writer.left_out(CONTAINER, key, &node, ""),
    }
}

/// What must be up before it.
fn requires(service: &mut Map, writer: &mut Writer, shared: &Shared) {
    let Some(node) = service.take("depends_on") else {
        return;
    };
    let needed: Vec<(String, Option<Node>)> = if let Value::Map(map) = &node.value {
        let pairs = map.0.iter();
        pairs
            .map(|(key, node)| (key.name.clone(), Some(node.clone())))
            .collect()
    } else if let Some(names) = node.texts() {
        names.into_iter().map(|name| (name, None)).collect()
    } else {
        writer.left_out("", "depends_on", &node, "");
        return;
    };
    for (name, settings) in needed {
        match shared.recipes.get(&name) {
            Some(recipe) => {
                let recipe = recipe.to_string();
                writer.document.section("").push("requires", recipe);
            }
            None => writer.note(
                "",
                &format!("`depends_on: {name}` names no service of the file"),
            ),
        }
        let path = format!("depends_on.{name}");
        let settings = settings.and_then(|node| writer.settings("", &path, &node));
        let Some(mut settings) = settings else {
            continue;
        };
        let condition = settings.get("condition").and_then(Node::text);
        // What is required is ready before what requires it.
        if matches!(condition, Some("service_started" | "service_healthy")) {
            settings.take("condition");
        }
        if settings.get("required").is_some_and(Node::is_true) {
            settings.take("required");
        }
        writer.left_over("", &path, settings);
    }
}

/// The image. One that is built comes from the deployer's own Docker.
fn image(
    key: &Key,
    service: &mut Map,
    writer: &mut Writer,
    shared: &Shared,
) -> Result<(), Problem> {
    let of = format!("the service `{}`", key.name);
    let image = service.take("image");
    let build = service.take("build");
    let text = image
        .as_ref()
        .and_then(|node| Some((node.text()?, &node.place)));
    if let Some((text, place)) = text {
        let image = convert::image(text, place, &of, writer)?;
        writer.set(CONTAINER, "image", image);
    } else {
        let own = format!("{}-{}", shared.project, shared.recipes[&key.name]);
        let own = own.to_ascii_lowercase();
        convert::checked(&own, &key.place, &of)?;
        writer.set(CONTAINER, "image", own);
        if let Some(node) = image {
            writer.left_out(CONTAINER, "image", &node, "it is no text");
        }
    }
    if let Some(node) = build {
        writer.set(CONTAINER, "source", "local");
        let why = "build the image with `docker build` before a deploy; `source = \"local\"` sends it from here";
        writer.left_out(CONTAINER, "build", &node, why);
    }
    Ok(())
}

/// A command, as words or as a shell would divide it. Of an entrypoint docker takes one word; the others come before
/// those of the command.
fn command(key: &str, node: &Node, writer: &mut Writer) {
    let words = match node.text() {
        Some(text) => shlex::split(text),
        None => node.texts(),
    };
    let words = words.filter(|words| !words.is_empty());
    let Some(words) = words else {
        let why = "it has no words, or they cannot be told apart";
        writer.left_out(CONTAINER, key, node, why);
        return;
    };
    for (index, word) in words.iter().enumerate() {
        match (key, index) {
            ("entrypoint", 0) => writer.set_text(CONTAINER, key, word, ""),
            _ => writer.push(CONTAINER, "command", word, ""),
        }
    }
}
