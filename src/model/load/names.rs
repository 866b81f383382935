//! What an environment's files name, for completions: as far as they can be read, whatever is wrong in them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    hosts::{self, is_var_name, vars},
    layer, read,
    read::{Project, RawRecipe},
};
use crate::{
    diagnostic::Problems,
    model::{HostName, Name},
};

/// What an environment's files name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Its hosts with their addresses, in the inventory's order.
    pub hosts: Vec<(HostName, String)>,
    /// Its groups, and how many hosts are in each.
    pub groups: Vec<(Name, usize)>,
    /// Its recipes, in the inventory's order.
    pub recipes: Vec<RecipeName>,
    /// The vars that `--set` may set, and what a file says each is.
    pub vars: BTreeMap<String, Option<Value>>,
}

/// A recipe.
#[derive(Debug, Clone)]
pub struct RecipeName {
    /// Its name.
    pub name: Name,
    /// What its file says it is.
    pub description: Option<String>,
    /// Whether it has a container; otherwise it is a list of commands.
    pub has_container: bool,
    /// Whether its container is an accessory.
    pub is_accessory: bool,
}

/// What the files of an environment name. Templates are not filled in, which takes long over a large fleet.
pub fn names(project: &Project, environment: &Name) -> Names {
    // What is wrong in the files is told by the command that is typed here.
    let mut problems = Problems::new();
    let inventories = read::inventories(project, environment, &mut problems);
    let inventory = layer::over_each_other(inventories.layers);
    let recipes = read::recipes(project, &inventory, &mut problems);
    let none = serde_json::Map::new();
    let members = hosts::resolve(project, &inventories.file, &inventory, none, &mut problems);

    let hosts = members.hosts.iter().map(|member| &member.host);
    let size = |group: &Name| {
        let hosts = hosts.clone();
        hosts.filter(|host| host.groups.contains(group)).count()
    };
    let mut vars: BTreeMap<_, _> = recipes
        .iter()
        .flat_map(|recipe| words(recipe.file.source.text()))
        .filter(|word| is_var_name(word))
        .map(|word| (word.to_owned(), None))
        .collect();
    // The inventory's `[vars]` go before a recipe's; those of hosts and groups are about some hosts.
    let general = inventory.vars.iter().flat_map(|vars| &vars.0);
    for (name, value) in general.chain(vars::all_vars(&inventory, &recipes)) {
        if is_var_name(name) {
            let known = vars.entry(name.value.clone()).or_default();
            known.get_or_insert_with(|| value.value.0.clone());
        }
    }
    Names {
        groups: members
            .groups
            .iter()
            .map(|group| (group.clone(), size(group)))
            .collect(),
        hosts: hosts
            .map(|host| (host.name.clone(), host.address.clone()))
            .collect(),
        recipes: recipes.into_iter().map(recipe_name).collect(),
        vars,
    }
}

fn recipe_name(recipe: RawRecipe) -> RecipeName {
    let RawRecipe { name, file } = recipe;
    let container = file.content.container;
    RecipeName {
        name: name.value,
        description: file.content.description.map(|text| text.value),
        has_container: container.is_some(),
        is_accessory: container.is_some_and(|container| *container.accessory.value()),
    }
}

/// The words that stand alone in the templates of a text: `{{version}}`, and not `{{host.address}}`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |expression: &str| expression.split("}}").next().unwrap_or_default().len();
    let expressions = text.split("{{").skip(1);
    expressions
        .map(move |expression| &expression[..inside(expression)])
        .flat_map(|inside| {
            inside.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.\"".contains(c)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_vars_by_words_that_stand_alone() {
        let text = r#"a = "{{version}} {{#if (eq tier "web")}} {{host.address}} {{/if}}", b = "{{{plain}}}""#;
        let found: Vec<_> = words(text).filter(|word| is_var_name(word)).collect();
        assert_eq!(found, ["version", "tier", "plain"]);
    }
}
