//! A project from nothing but answers.

use toml::{Table, Value};

use super::{
    document::{Document, literal},
    project::Draft,
};
use crate::model::{Name, Publish, Reference};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The environment's name.
    pub environment: Name,
    /// The hosts, in order.
    pub hosts: Vec<Host>,
    /// The account to log in as.
    pub user: String,
    /// The recipes, in order.
    pub recipes: Vec<Recipe>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What it is called.
    pub name: String,
    /// Where SSH connects to.
    pub address: String,
    /// The groups it is in.
    pub groups: Vec<String>,
}

/// A recipe of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// What it is called.
    pub name: Name,
    /// The image.
    pub image: String,
    /// The ports that it publishes.
    pub publish: Vec<String>,
}

/// The sections of an inventory, in order.
pub const INVENTORY: [&str; 5] = ["", "[hosts]", "[ssh]", "[images]", "[vars]"];

/// The sections of a recipe, in order.
pub const RECIPE: [&str; 12] = [
    "",
    "[vars]",
    "[container]",
    "[container.env]",
    "[container.secrets]",
    "[container.labels]",
    "[[before]]",
    "[[after]]",
    "[ready]",
    "[rollout]",
    "[drain]",
    "[probe]",
];

/// The files of the project.
pub fn fresh(project: &Answers) -> Draft {
    let names = project.recipes.iter().map(|recipe| &recipe.name);
    let mut inventory = inventory(names, &project.hosts, &project.user);
    let mut recipes = Vec::new();
    let only = project.recipes.len() == 1;
    for recipe in &project.recipes {
        let (image, version) = versioned(recipe, only);
        if let Some((var, tag)) = version {
            inventory.section("[vars]").set(&var, tag);
        }
        recipes.push((recipe.name.clone(), document(recipe, &image)));
    }
    Draft {
        inventories: vec![(project.environment.clone(), inventory)],
        recipes,
        others: Vec::new(),
    }
}

/// An inventory with these recipes and hosts.
pub fn inventory(
    recipes: impl Iterator<Item = impl ToString>,
    hosts: &[Host],
    user: &str,
) -> Document {
    let mut document = Document::new("inventory", &INVENTORY);
    let top = document.section("");
    let names: Vec<_> = recipes.map(|name| Value::from(name.to_string())).collect();
    top.set("recipes", names);
    let section = document.section("[hosts]");
    for host in hosts {
        let mut table = Table::new();
        table.insert("address".to_owned(), host.address.clone().into());
        if !host.groups.is_empty() {
            table.insert("groups".to_owned(), host.groups.clone().into());
        }
        section.set(&host.name, table);
    }
    if !user.is_empty() {
        document.section("[ssh]").set("user", user);
    }
    document
}

/// A recipe's file with its first lines.
pub fn recipe(description: &str, hosts: impl Into<Value>) -> Document {
    let mut document = Document::new("recipe", &RECIPE);
    let top = document.section("");
    if !description.is_empty() {
        top.set("description", description);
    }
    top.set("hosts", hosts);
    document
}

fn document(asked: &Recipe, image: &str) -> Document {
    let mut document = recipe("", "all");
    let container = document.section("[container]");
    container.set("image", image);
    if !asked.publish.is_empty() {
        container.set("publish", asked.publish.clone());
    }
    container.set("restart", "unless-stopped");
    let ports = asked.publish.iter().flat_map(|port| Publish::each(port));
    let first = ports.flatten().find(|port| port.protocol == "tcp");
    if let Some(port) = first {
        let ready = document.section("[ready]");
        ready.set("tcp", i64::from(port.container_port));
        ready.remark("or what it answers: `http = \"/health\"`");
    }
    document
}

/// The image with a var in the place of its tag, and that var with the tag; the image alone where it has none.
fn versioned(recipe: &Recipe, only: bool) -> (String, Option<(String, String)>) {
    let reference = Reference::parse(&recipe.image);
    let (Some(tag), None) = (reference.tag, reference.digest) else {
        return (literal(&recipe.image), None);
    };
    let var = if only {
        "version".to_owned()
    } else {
        let name = recipe.name.replace(['-', '.'], "_");
        // A var is a name of a template's, which begins with no digit.
        let name = name.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{name}_version")
    };
    let image = format!("{}:{{{{{var}}}}}", literal(reference.repository));
    (image, Some((var, tag.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(image: &str, name: &str, only: bool) -> (String, Option<(String, String)>) {
        let recipe = Recipe {
            name: name.parse().expect("a name"),
            image: image.to_owned(),
            publish: Vec::new(),
        };
        versioned(&recipe, only)
    }

    #[test]
    fn the_tag_of_an_image_becomes_a_var() {
        let var = |name: &str, tag: &str| Some((name.to_owned(), tag.to_owned()));
        assert_eq!(
            image("nginx:1.27", "web", true),
            ("nginx:{{version}}".to_owned(), var("version", "1.27"))
        );
        assert_eq!(
            image("registry.example:5000/my-app:v1", "1my-app.x", false),
            (
                "registry.example:5000/my-app:{{my_app_x_version}}".to_owned(),
                var("my_app_x_version", "v1")
            )
        );
        assert_eq!(image("nginx", "web", true), ("nginx".to_owned(), None));
        let pinned = format!("nginx:1@sha256:{}", "0".repeat(64));
        assert_eq!(image(&pinned, "web", true), (pinned, None));
    }
}
