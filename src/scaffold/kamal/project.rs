//! The files as a whole: the main one, and those of the destinations.

use super::{
    accessories,
    environment::{plain, without_plain},
    hosts::Hosts,
    merge::over,
    roles::{self, Common, PRIMARY, Role, roles},
    settings,
};
use crate::{
    diagnostic::Problem,
    model::{Name, Reference},
    scaffold::{
        convert::{self, Dialect, Writer, left_out, named, settled},
        document::Document,
        fresh::inventory,
        project::Draft,
        yaml::{Map, Node, Value},
    },
};

/// A destination's file.
pub struct Destination {
    /// What it is called.
    pub name: Name,
    /// What it says over the main file.
    pub file: Map,
}

/// What one environment has.
struct Environment {
    name: Name,
    hosts: Hosts,
    /// Its file as a whole.
    file: Map,
    /// What its destination says alone.
    own: Map,
}

/// The files of the project: an environment for each destination, or for the main file where there is none.
///
/// # Errors
///
/// What is no configuration of Kamal's.
pub fn convert(file: Map, destinations: Vec<Destination>, alone: &Name) -> Result<Draft, Problem> {
    refuse_names(&file)?;
    for destination in &destinations {
        refuse_names(&destination.file)?;
    }
    let mut environments: Vec<_> = destinations
        .into_iter()
        .map(|destination| Environment::new(destination.name, &file, destination.file))
        .collect();
    if stands_alone(&file, &environments) && environments.iter().all(|it| it.name != *alone) {
        environments.insert(0, Environment::new(alone.clone(), &file, Map::default()));
    }
    let written = file.get("service").and_then(Node::text);
    let written = written.ok_or_else(|| missing("service"))?.to_owned();
    let service = named(&settled(&written, Dialect::Kamal));
    let vars = differing(&environments);
    let whole = environments
        .iter()
        .fold(file, |all, it| with_missing(&all, &it.file));
    let mut recipes = Vec::new();
    let rest = write_recipes(whole, &service, &vars, &mut recipes)?;
    let mut inventories = Vec::new();
    for (index, environment) in environments.into_iter().enumerate() {
        let rest = (index == 0).then(|| rest.clone());
        inventories.push(write_inventory(environment, &recipes, &vars, rest));
    }
    if let Some((_, document)) = inventories.first_mut()
        && *service != *written
    {
        let note =
            format!("kamal: the service `{service}` was `{written}`; a name has no variables");
        document.section("").note(note);
    }
    let recipes = recipes
        .into_iter()
        .map(|(name, _, document)| (name, document));
    Ok(Draft {
        inventories,
        recipes: recipes.collect(),
        others: Vec::new(),
    })
}

/// Whether the main file is an environment of its own: it names hosts, and asks for no destination.
fn stands_alone(file: &Map, destinations: &[Environment]) -> bool {
    let asks = file.get("require_destination").is_some_and(Node::is_true);
    destinations.is_empty() || file.get("servers").is_some() && !asks
}

fn missing(key: &str) -> Problem {
    Problem::error(format!("`{key}` is missing"))
        .hint("a configuration of Kamal's has `service`, `image` and `servers`")
}

impl Environment {
    fn new(name: Name, main: &Map, own: Map) -> Self {
        let file = over(main, &own);
        let mut hosts = Hosts::default();
        roles(file.get("servers"), &mut hosts);
        for (key, node) in accessories_of(&file) {
            let mut accessory = node.map().cloned().unwrap_or_default();
            accessories::place(&key, &mut accessory, &mut hosts);
        }
        Self {
            name,
            hosts,
            file,
            own,
        }
    }
}

/// Roles and accessories become groups of hosts.
fn refuse_names(file: &Map) -> Result<(), Problem> {
    for (key, what) in [("servers", "role"), ("accessories", "accessory")] {
        let named = file.get(key).and_then(Node::map);
        for (key, _) in named.into_iter().flat_map(|map| &map.0) {
            if let Err(error) = key.name.parse::<Name>() {
                let label = format!("this {what} becomes a group of hosts");
                return Err(Problem::error(error.to_string())
                    .at(&key.place, label)
                    .hint(format!("give it a name in `{}`", key.place.file.name())));
            }
        }
    }
    Ok(())
}

fn accessories_of(file: &Map) -> Vec<(String, Node)> {
    let accessories = file.get("accessories").and_then(Node::map);
    let pairs = accessories.into_iter().flat_map(|map| &map.0);
    pairs
        .map(|(key, node)| (key.name.clone(), node.clone()))
        .collect()
}

/// The plain variables that are not the same everywhere.
fn differing(environments: &[Environment]) -> Vec<String> {
    let own = environments.iter().flat_map(|it| plain(it.own.get("env")));
    let mut names: Vec<_> = own.map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    // Names that templates have for other things stay as they are.
    names.retain(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    names
}

/// A mapping with the keys of another one that it does not have.
fn with_missing(one: &Map, other: &Map) -> Map {
    let mut all = one.clone();
    for (key, node) in &other.0 {
        match all.0.iter_mut().find(|(known, _)| known.name == key.name) {
            None => all.0.push((key.clone(), node.clone())),
            Some((_, known)) => {
                if let (Value::Map(one), Value::Map(other)) = (&known.value, &node.value) {
                    known.value = Value::Map(with_missing(one, other));
                }
            }
        }
    }
    all
}

/// A recipe, and the group of the hosts that it runs on.
type Recipe = (Name, String, Document);

/// Writes the recipes of the roles and accessories; what is left of the file.
fn write_recipes(
    mut file: Map,
    service: &Name,
    vars: &[String],
    recipes: &mut Vec<Recipe>,
) -> Result<Map, Problem> {
    file.take("service");
    let image = file.take("image").ok_or_else(|| missing("image"))?;
    let registry = file.get("registry").cloned();
    let primary = file.take("primary_role");
    let primary = primary.as_ref().and_then(Node::text).unwrap_or(PRIMARY);
    let mut hosts = Hosts::default();
    let servers = file.take("servers");
    let all = roles(servers.as_ref(), &mut hosts);
    if all.is_empty() {
        return Err(missing("servers"));
    }
    // The only role is the one that requests are sent to, whatever it is called.
    let primary = match all.as_slice() {
        [only] => only.name.clone(),
        _ => primary.to_owned(),
    };
    let taken = ["env", "proxy", "labels", "volumes", "logging"].map(|key| file.take(key));
    let [env, proxy, labels, volumes, logging] = taken.each_ref().map(Option::as_ref);
    let common = Common {
        env,
        proxy,
        labels,
        volumes,
        logging,
        vars,
        primary: &primary,
    };
    let rollout = settings::rollout(&mut file);
    for role in all {
        let name = recipe_name(service, &role, &primary);
        let mut writer = Writer::new(Dialect::Kamal, "", &*role.name);
        image_of(&image, registry.as_ref(), &mut writer)?;
        let group = role.name.clone();
        roles::write(role, &common, &mut writer);
        rollout(&mut writer);
        recipes.push((name, group, writer.document));
    }
    let accessories = accessories_of(&file);
    file.take("accessories");
    for (name, node) in accessories {
        let recipe = named(&format!("{service}-{name}"));
        let mut writer = Writer::new(Dialect::Kamal, "", &*name);
        match node.value {
            Value::Map(mut accessory) => {
                accessories::place(&name, &mut accessory, &mut hosts);
                accessories::write(service, &name, accessory, &mut writer)?;
            }
            _ => writer.left_out("", &format!("accessories.{name}"), &node, ""),
        }
        recipes.push((recipe, name, writer.document));
    }
    Ok(file)
}

/// The role that requests are sent to has the name of the service.
fn recipe_name(service: &Name, role: &Role, primary: &str) -> Name {
    if role.name == primary {
        service.clone()
    } else {
        named(&format!("{service}-{}", role.name))
    }
}

/// The image with its registry, and its version as a var.
fn image_of(node: &Node, registry: Option<&Node>, writer: &mut Writer) -> Result<(), Problem> {
    let Some(image) = node.text() else {
        return Err(Problem::error("`image` is no text")
            .at(&node.place, "expected a name")
            .hint("the image of Kamal's service is one text, such as `image: acme/shop`"));
    };
    let server = registry.and_then(|node| node.map()?.get("server")?.text());
    let image = match server {
        Some(server) if !image.starts_with(server) => format!("{server}/{image}"),
        _ => image.to_owned(),
    };
    let image = convert::image(&image, &node.place, "the service", writer)?;
    let repository = Reference::parse(&image).repository;
    writer.set(
        "[container]",
        "image",
        format!("{repository}:{{{{version}}}}"),
    );
    Ok(())
}

/// Writes the inventory of an environment; `rest` is what no recipe took of the main file.
fn write_inventory(
    environment: Environment,
    recipes: &[Recipe],
    vars: &[String],
    rest: Option<Map>,
) -> (Name, Document) {
    let Environment {
        name,
        hosts,
        file,
        own,
    } = environment;
    let here = recipes.iter().filter(|(_, group, _)| hosts.has(group));
    let mut document = inventory(here.map(|(name, ..)| name), &hosts.all, "");
    for (written, address) in &hosts.variables {
        let note = format!("kamal: `{address}` was `{written}`; an address has no variables here");
        document.section("[hosts]").note(note);
    }
    let registry = file.get("registry");
    let mut said = file.clone();
    settings::inventory(&mut said, &mut document, registry);
    let section = document.section("[vars]");
    section.set("version", "latest");
    section.remark("kamal: the revision in git; `--set version=…` deploys another one");
    let values = plain(file.get("env"));
    for var in vars {
        let value = values.iter().find(|(name, _)| name == var);
        let section = document.section("[vars]");
        match value.and_then(|(_, value)| value.clone()) {
            Some(value) => section.set(var, value),
            None => section.set(var, "").remark("kamal: not set here"),
        };
    }
    if let Some(mut rest) = rest {
        rest.take("registry");
        settings::inventory(&mut rest, &mut Document::new("", &[]), None);
        settings::left_over(rest, &mut document);
    }
    left_of_destination(own, &mut document);
    (name, document)
}

/// What a destination says of things that recipes have: those are the same for every environment.
fn left_of_destination(own: Map, document: &mut Document) {
    let in_inventory = ["servers", "ssh", "registry", "retain_containers"];
    for (key, node) in own.0 {
        let node = match (&*key.name, &node.value) {
            (name, _) if in_inventory.contains(&name) => continue,
            ("env", Value::Map(map)) => {
                let rest = without_plain(map);
                if rest.0.is_empty() {
                    continue;
                }
                let value = Value::Map(rest);
                Node { value, ..node }
            }
            ("accessories", Value::Map(map)) => {
                let places = map
                    .0
                    .iter()
                    .filter_map(|(_, node)| node.map())
                    .flat_map(|map| &map.0);
                if places
                    .clone()
                    .all(|(key, _)| matches!(&*key.name, "host" | "hosts" | "role" | "roles"))
                {
                    continue;
                }
                node
            }
            _ => node,
        };
        let why = "recipes are the same for every environment; a var can differ";
        document
            .section("")
            .note(left_out(Dialect::Kamal, &key.name, &node, why));
    }
}
