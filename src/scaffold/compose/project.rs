//! The file as a whole.

use std::collections::BTreeMap;

use super::{
    extends,
    service::service,
    shared::{Resources, Shared},
};
use crate::{
    diagnostic::{Problem, Problems},
    model::Name,
    scaffold::{
        convert::{Dialect, left_out, named},
        fresh::{Host, inventory},
        project::Draft,
        yaml::{Map, Value},
    },
};

/// The files of the project for an environment with these hosts.
///
/// # Errors
///
/// What is no Compose file, with its place.
pub fn convert(
    mut file: Map,
    folder: &str,
    environment: &Name,
    hosts: &[Host],
    user: &str,
) -> Result<Draft, Problems> {
    let services = file.take("services");
    let services = services.map(|node| (node.place.clone(), node.value));
    let Some((place, Value::Map(services))) = services else {
        return Err(Problem::error("`services` is no mapping of services")
            .hint("a Compose file has a service in each line below it")
            .into());
    };
    let services = extends::resolved(&services)?;
    if services.0.is_empty() {
        return Err(Problem::error("the file has no services")
            .at(&place, "none")
            .into());
    }
    let project = named(&file.take_text("name").unwrap_or_else(|| folder.to_owned()));
    let shared = Shared {
        networks: Resources::networks(&mut file, &project),
        volumes: Resources::volumes(&mut file, &project),
        project,
        recipes: recipe_names(&services),
    };
    let mut recipes = Vec::new();
    let mut wrong = Problems::new();
    for (key, node) in services.0 {
        let Value::Map(map) = node.value else {
            let fact = format!("the service `{}` is no mapping", key.name);
            wrong.push(Problem::error(fact).at(&node.place, "expected `image: …` and the like"));
            continue;
        };
        let name = shared.recipes[&key.name].clone();
        match service(&key, map, &shared) {
            Ok(document) => recipes.push((name, document)),
            Err(problem) => wrong.push(problem),
        }
    }
    if wrong.has_errors() {
        return Err(wrong);
    }
    let mut document = inventory(recipes.iter().map(|(name, _)| name), hosts, user);
    let top = document.section("");
    if hosts.len() > 1 {
        top.note("compose: all services ran on one host; here each runs on every host. `hosts` of a recipe says where");
    }
    // It says nothing since Compose has one form of the file.
    file.take("version");
    for note in shared.networks.notes().chain(shared.volumes.notes()) {
        top.note(note);
    }
    for (key, node) in file.0 {
        let why = match &*key.name {
            "secrets" | "configs" => {
                "`[container.secrets]` gives a value as a variable, `upload` of `[[before]]` places a file"
            }
            "include" => "convert that file, too",
            name if name.starts_with("x-") => "what services took from it is in their recipes",
            _ => "",
        };
        top.note(left_out(Dialect::Compose, &key.name, &node, why));
    }
    Ok(Draft {
        inventories: vec![(environment.clone(), document)],
        recipes,
        others: Vec::new(),
    })
}

/// The names of the recipes: services may be called what no recipe can, and two then alike.
fn recipe_names(services: &Map) -> BTreeMap<String, Name> {
    let mut names = BTreeMap::<String, Name>::new();
    for (key, _) in &services.0 {
        let base = named(&key.name);
        let is_taken = |name: &Name| names.values().any(|known| known == name);
        let numbered = (2..).filter_map(|number| format!("{base}-{number}").parse().ok());
        let mut candidates = std::iter::once(base.clone()).chain(numbered);
        let name = candidates.find(|name| !is_taken(name)).unwrap_or(base);
        names.insert(key.name.clone(), name);
    }
    names
}
