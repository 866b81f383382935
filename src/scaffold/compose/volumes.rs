//! `volumes` of services, and those of the project.

use crate::{
    model::Name,
    scaffold::{
        convert::{CONTAINER, Dialect, Writer, left_out},
        yaml::{Map, Node, Value},
    },
};

/// The volumes of the project.
pub struct Volumes {
    file: Option<Node>,
    project: Name,
}

impl Volumes {
    /// As the file has them.
    pub fn new(file: Option<Node>, project: Name) -> Self {
        Self { file, project }
    }

    /// What the volume is called on the host: data that is there is found again.
    fn real_name(&self, name: &str) -> String {
        let settings = self
            .file
            .as_ref()
            .and_then(|node| node.map()?.get(name)?.map());
        let real = settings.and_then(|settings| settings.get("name")?.text());
        let is_external = settings
            .and_then(|settings| settings.get("external"))
            .is_some_and(Node::is_true);
        match real {
            Some(real) => real.to_owned(),
            None if is_external => name.to_owned(),
            None => format!("{}_{name}", self.project),
        }
    }

    /// What has no counterpart. Docker makes a volume when it is first used.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let node = self.file.as_ref();
        let volumes = node.and_then(Node::map).into_iter().flat_map(|map| &map.0);
        volumes.flat_map(|(key, node)| {
            let settings = node.map().into_iter().flat_map(|map| &map.0);
            settings
                .filter(|(setting, _)| !matches!(&*setting.name, "name" | "external"))
                .map(|(setting, node)| {
                    let path = format!("volumes.{}.{}", key.name, setting.name);
                    let why = "make the volume on the hosts, as `docker volume create` does";
                    left_out(Dialect::Compose, &path, node, why)
                })
                .collect::<Vec<_>>()
        })
    }
}

/// The volumes of a service.
pub fn volumes(service: &mut Map, writer: &mut Writer, project: &Volumes) {
    let Some(node) = service.take("volumes") else {
        return;
    };
    let Value::List(items) = &node.value else {
        writer.left_out(CONTAINER, "volumes", &node, "");
        return;
    };
    for item in items {
        match &item.value {
            Value::Text(text) => short(text, item, writer, project),
            Value::Map(map) => long(map, item, writer, project),
            _ => writer.left_out(CONTAINER, "volumes", item, ""),
        }
    }
}

const RELATIVE: &str = "the path is one beside the file; `upload` of `[[before]]` places a file, and an absolute path of the host is taken";

fn short(text: &str, item: &Node, writer: &mut Writer, project: &Volumes) {
    let (source, rest) = text.split_once(':').unwrap_or(("", text));
    if source.starts_with(['.', '~']) {
        writer.left_out(CONTAINER, "volumes", item, RELATIVE);
    } else if source.is_empty() || source.starts_with(['/', '$']) {
        writer.push(CONTAINER, "volumes", text, "/srv/data");
    } else {
        let text = format!("{}:{rest}", project.real_name(source));
        writer.push(CONTAINER, "volumes", &text, "");
    }
}

fn long(map: &Map, item: &Node, writer: &mut Writer, project: &Volumes) {
    let mut rest = map.clone();
    let mut text = |key: &str| rest.take(key)?.text().map(str::to_owned);
    let kind = text("type").unwrap_or_else(|| "volume".to_owned());
    let target = text("target");
    let source = text("source");
    let Some(target) = target else {
        writer.left_out(CONTAINER, "volumes", item, "");
        return;
    };
    let mode = match rest.get("read_only") {
        Some(node) if node.is_true() => ":ro",
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
                project.real_name(&source)
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
    rest.take("read_only");
    writer.left_over(CONTAINER, "volumes", rest);
}
