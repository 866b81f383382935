//! Recipes that belong together: a balancer, the app behind it, and what stands between them.
//!
//! With Consul that is the reference topology, as this repository's own recipes have it. The others are the files that
//! `docs/balancers.md` shows, taken from there: the tests on hosts deploy just those.

use super::{
    fresh::{Host, inventory},
    project::{Draft, NewFile},
};
use crate::model::Name;

/// A stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// Consul on all hosts, Registrator and the app on all but the last, and on the last one the balancer that follows
    /// Consul.
    Consul,
    /// nginx on the last host, whose backends shipit writes, and the app on the others.
    Nginx,
    /// `HAProxy` on the last host, told through its runtime socket.
    Haproxy,
    /// Caddy on the last host, told through its admin API.
    Caddy,
}

/// A var of the inventory: its name, what stands there until the user's own does, and a remark, which may be empty.
type Var = (&'static str, &'static str, &'static str);

/// What a stack is made of.
struct Parts {
    /// The recipes in the order in which they come up.
    recipes: &'static [&'static str],
    /// What the recipes upload or fill in.
    files: &'static [&'static str],
    vars: &'static [Var],
    /// The groups of each host, of all but the last, and of the last.
    groups: [&'static [&'static str]; 3],
    /// Whether something of it needs root on the hosts.
    needs_root: bool,
}

/// The recipes of the reference topology, as this repository has them.
const REFERENCE: [(&str, &str); 4] = [
    (
        "recipes/consul.toml",
        include_str!("../../recipes/consul.toml"),
    ),
    (
        "recipes/registrator.toml",
        include_str!("../../recipes/registrator.toml"),
    ),
    (
        "recipes/dr-con.toml",
        include_str!("../../recipes/dr-con.toml"),
    ),
    (
        "recipes/flask-nanoservice.toml",
        include_str!("../../recipes/flask-nanoservice.toml"),
    ),
];

/// The page with the files of the others.
const PAGE: &str = include_str!("../../docs/balancers.md");

const APP: Var = ("web_image", "registry.example/web", "your app");
const VERSION: Var = ("version", "v1", "");
const APPS_AND_BALANCERS: [&[&str]; 3] = [&[], &["apps"], &["balancers"]];

impl Stack {
    fn parts(self) -> Parts {
        match self {
            Self::Consul => Parts {
                recipes: &["consul", "registrator", "dr-con", "flask-nanoservice"],
                files: &[],
                vars: &[
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
                ],
                groups: [&["consul"], &["apps"], &["balancers"]],
                needs_root: false,
            },
            Self::Nginx => Parts {
                recipes: &["lb", "web"],
                files: &["files/web.conf"],
                vars: &[("nginx_image", "nginx:1.28", ""), APP, VERSION],
                groups: APPS_AND_BALANCERS,
                needs_root: false,
            },
            Self::Haproxy => Parts {
                recipes: &["haproxy", "shop"],
                files: &["files/haproxy.cfg"],
                vars: &[
                    (
                        "haproxy_image",
                        "registry.example/haproxy-with-socat:3.0",
                        "HAProxy's own has no socat",
                    ),
                    APP,
                    VERSION,
                ],
                groups: APPS_AND_BALANCERS,
                needs_root: true,
            },
            Self::Caddy => Parts {
                recipes: &["caddy", "blog"],
                files: &["files/caddy.json"],
                vars: &[
                    (
                        "caddy_image",
                        "registry.example/caddy-with-curl:2",
                        "Caddy's own has no curl",
                    ),
                    APP,
                    VERSION,
                ],
                groups: APPS_AND_BALANCERS,
                needs_root: true,
            },
        }
    }
}

/// The files of a stack on these hosts.
pub fn stack(stack: Stack, environment: &Name, hosts: &[Host], user: &str) -> Draft {
    let parts = stack.parts();
    let hosts = with_groups(hosts, parts.groups);
    let mut document = inventory(parts.recipes.iter(), &hosts, user);
    if parts.needs_root {
        let ssh = document.section("[ssh]");
        ssh.set("become", true);
        ssh.remark("a folder below /srv is made");
    }
    let vars = document.section("[vars]");
    for (name, value, remark) in parts.vars {
        vars.set(name, *value);
        if !remark.is_empty() {
            vars.remark(remark);
        }
    }
    let recipes = parts.recipes.iter();
    let recipes = recipes.map(|name| format!("recipes/{name}.toml"));
    let files = parts.files.iter().map(|path| (*path).to_owned());
    let others = recipes.chain(files).map(|path| NewFile {
        text: text(&path),
        path,
    });
    Draft {
        inventories: vec![(environment.clone(), document)],
        recipes: Vec::new(),
        others: others.collect(),
    }
}

/// What is in a file: empty for one that there is not, which the tests would find.
fn text(path: &str) -> String {
    let reference = REFERENCE.iter().find(|(name, _)| *name == path);
    let found = reference.map(|(_, text)| (*text).to_owned());
    found.or_else(|| shown(path)).unwrap_or_default()
}

/// A file that the page shows: a block whose first line has its path. In a recipe the line with the schema takes that
/// line's place; in what a balancer reads nothing does, as it may have no comments.
fn shown(path: &str) -> Option<String> {
    let heading = format!("# {path}");
    let mut lines = PAGE.lines();
    let is_before = |window: &str| window.starts_with("```");
    let mut before = lines.next()?;
    let mut block = None;
    for line in lines {
        match &mut block {
            None if is_before(before) && line == heading => block = Some(String::new()),
            Some(text) if line == "```" => {
                let schema = if path.starts_with("recipes/") {
                    "#:schema ../schema/recipe.json\n"
                } else {
                    ""
                };
                return Some(format!("{schema}{text}"));
            }
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
        before = line;
    }
    None
}

/// Which host is for what. One host alone is for everything.
fn with_groups(hosts: &[Host], [all, apps, last_one]: [&[&str]; 3]) -> Vec<Host> {
    let last = hosts.len().saturating_sub(1);
    let groups = |index: usize| -> Vec<String> {
        let has_apps = index < last || last == 0;
        let apps = apps.iter().filter(|_| has_apps);
        let of_last = last_one.iter().filter(|_| index == last);
        let words = all.iter().chain(apps).chain(of_last);
        words.map(|word| (*word).to_owned()).collect()
    };
    let with = |(index, host): (usize, &Host)| Host {
        groups: groups(index),
        ..host.clone()
    };
    hosts.iter().enumerate().map(with).collect()
}
