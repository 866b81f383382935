//! The reference topology: Consul on all hosts, Registrator and the app on all but the last, and on the last one the
//! balancer that follows Consul.

use super::{
    fresh::{Host, inventory},
    project::{Draft, NewFile},
};
use crate::model::Name;

/// The recipes as this repository has them, in the order in which they come up.
const RECIPES: [(&str, &str); 4] = [
    ("consul", include_str!("../../recipes/consul.toml")),
    (
        "registrator",
        include_str!("../../recipes/registrator.toml"),
    ),
    ("dr-con", include_str!("../../recipes/dr-con.toml")),
    (
        "flask-nanoservice",
        include_str!("../../recipes/flask-nanoservice.toml"),
    ),
];

/// What the recipes call their images, and what stands there until the user's own do.
const IMAGES: [(&str, &str, &str); 5] = [
    ("consul_image", "consul:1.8.7", ""),
    ("registrator_image", "gliderlabs/registrator:v7", ""),
    (
        "dr_con_image",
        "dr-con",
        "lab/images/dr-con of shipit's repository shows how to build it",
    ),
    (
        "flask_image",
        "flask-nanoservice",
        "your app; lab/images/flask-nanoservice is one",
    ),
    ("version", "latest", ""),
];

/// The files of the stack on these hosts.
pub fn consul(environment: &Name, hosts: &[Host], user: &str) -> Draft {
    let names = RECIPES.map(|(name, _)| name);
    let mut document = inventory(names.iter(), &with_groups(hosts), user);
    let vars = document.section("[vars]");
    for (name, value, remark) in IMAGES {
        vars.set(name, value);
        if !remark.is_empty() {
            vars.remark(remark);
        }
    }
    let recipes = RECIPES.map(|(name, text)| NewFile {
        path: format!("recipes/{name}.toml"),
        text: text.to_owned(),
    });
    Draft {
        inventories: vec![(environment.clone(), document)],
        recipes: Vec::new(),
        others: recipes.into(),
    }
}

/// Which host is for what. One host alone is for everything.
fn with_groups(hosts: &[Host]) -> Vec<Host> {
    let last = hosts.len().saturating_sub(1);
    let groups = |index: usize| -> Vec<String> {
        let apps = index < last || last == 0;
        let words = [
            Some("consul"),
            apps.then_some("apps"),
            (index == last).then_some("balancers"),
        ];
        words.into_iter().flatten().map(str::to_owned).collect()
    };
    let with = |(index, host): (usize, &Host)| Host {
        groups: groups(index),
        ..host.clone()
    };
    hosts.iter().enumerate().map(with).collect()
}
