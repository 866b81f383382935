//! What the services of a file share.

use std::collections::BTreeMap;

use crate::{
    model::Name,
    scaffold::{
        convert::{Dialect, left_out},
        yaml::{Map, Node},
    },
};

/// What the services share.
pub struct Shared {
    /// What the project is called: a part of the names of the images that it builds.
    pub project: Name,
    /// The networks.
    pub networks: Resources,
    /// The volumes.
    pub volumes: Resources,
    /// What each service's recipe is called.
    pub recipes: BTreeMap<String, Name>,
}

/// What the file names at its top for services to use: the networks of the project, or its volumes.
pub struct Resources {
    /// The key at the top.
    key: &'static str,
    node: Option<Node>,
    /// What the project is called: a part of their names.
    project: Name,
    /// What a setting without a counterpart is for.
    why: &'static str,
    /// The value that says nothing, as docker takes it anyway.
    usual: Option<&'static str>,
}

impl Resources {
    /// The networks of a file.
    pub fn networks(file: &mut Map, project: &Name) -> Self {
        Self {
            key: "networks",
            node: file.take("networks"),
            project: project.clone(),
            why: "add it to the recipes' `docker network create`",
            usual: Some("bridge"),
        }
    }

    /// The volumes of a file. Docker makes a volume when it is first used.
    pub fn volumes(file: &mut Map, project: &Name) -> Self {
        Self {
            key: "volumes",
            node: file.take("volumes"),
            project: project.clone(),
            why: "make the volume on the hosts, as `docker volume create` does",
            usual: None,
        }
    }

    /// What one is called on the host: what is there is found again.
    pub fn real_name(&self, name: &str) -> String {
        let node = self.node.as_ref();
        let settings = node.and_then(|node| node.map()?.get(name)?.map());
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

    /// What has no counterpart.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let node = self.node.as_ref();
        let all = node.and_then(Node::map).into_iter().flat_map(|map| &map.0);
        let each = all.flat_map(|(key, node)| {
            let path = format!("{}.{}", self.key, key.name);
            let settings = node.map().into_iter().flat_map(|map| &map.0);
            let settings = settings.filter(|(setting, node)| {
                let is_usual = self.usual.is_some() && node.text() == self.usual;
                !matches!(&*setting.name, "name" | "external") && !is_usual
            });
            let settings = settings.map(|(setting, node)| {
                let path = format!("{path}.{}", setting.name);
                left_out(Dialect::Compose, &path, node, self.why)
            });
            let settings: Vec<_> = settings.collect();
            no_mapping(&path, node).into_iter().chain(settings)
        });
        let whole = node.and_then(|node| no_mapping(self.key, node));
        whole.into_iter().chain(each)
    }
}

/// What is said where a mapping is expected and something else stands; `None` where nothing does.
fn no_mapping(path: &str, node: &Node) -> Option<String> {
    let is_other = node.map().is_none() && !node.is_null();
    is_other.then(|| left_out(Dialect::Compose, path, node, ""))
}
