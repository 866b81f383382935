//! What the templates of a recipe can name.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::super::{
    hosts::{Member, Members},
    read::Project,
};
use crate::model::{ImageSource, Name, PreviewName};

/// Everything that recipes are resolved in.
pub(in super::super) struct World<'a> {
    pub project: &'a Project,
    pub environment: &'a Name,
    /// The preview whose recipes are resolved, if it is one.
    pub preview: Option<OfPreview<'a>>,
    pub members: &'a Members,
    pub default_source: ImageSource,
    /// Every word in a template.
    pub named: RefCell<BTreeSet<String>>,
    /// What all templates took so far: the hosts that were listed for them, their rounds and pieces.
    pub steps: Cell<usize>,
}

/// A preview, and which recipes are its own.
#[derive(Clone, Copy)]
pub(in super::super) struct OfPreview<'a> {
    pub name: &'a PreviewName,
    pub recipes: &'a [Name],
}

impl OfPreview<'_> {
    /// Whether the preview has this recipe of its own.
    pub(in super::super) fn has(&self, recipe: &Name) -> bool {
        self.recipes.contains(recipe)
    }
}

/// The most steps for all the templates of an environment: one that speaks of its host and lists all hosts is filled in
/// for each, and over a large fleet that takes hours.
pub(super) const MOST_STEPS: usize = 5_000_000;

impl World<'_> {
    /// Whether the templates took so long that no further one is filled in.
    pub(super) fn has_taken_too_long(&self) -> bool {
        self.steps.get() > MOST_STEPS
    }

    /// What `{{preview}}` stands for in a recipe.
    fn preview_of(&self, recipe: &Name) -> &str {
        let own = self.preview.filter(|preview| preview.has(recipe));
        own.map_or("", |preview| preview.name)
    }

    /// Notes the words of a template.
    pub(super) fn note_words(&self, source: &str) {
        let mut named = self.named.borrow_mut();
        for expression in source.split("{{").skip(1) {
            let inside = expression.split("}}").next().unwrap_or_default();
            let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            for word in inside.split(|c| !is_part(c)) {
                if !word.is_empty() && !named.contains(word) {
                    named.insert(word.to_owned());
                }
            }
        }
    }
}

/// A text, and the first of the hosts that it is the same for.
pub(super) type SharedKey = (Option<usize>, String);

/// What the templates of one recipe can name.
pub(in super::super) struct Scope<'a> {
    pub(super) world: &'a World<'a>,
    /// What `{{preview}}` stands for: nothing where the recipe is no preview's own.
    preview: &'a str,
    /// The recipe's `[vars]`.
    defaults: Map<String, Value>,
    /// Every host as templates see it, in the inventory's order.
    hosts: Vec<Value>,
    /// The recipe's hosts, as indexes.
    own: Vec<usize>,
    /// For each host the first one with the same vars.
    alike: Vec<usize>,
    /// Texts that are the same on all hosts that are alike, and what came out of them.
    texts: RefCell<HashMap<SharedKey, String>>,
    /// The same for commands, which are finished later: their contexts.
    commands: RefCell<HashMap<SharedKey, Arc<Value>>>,
}

impl<'a> Scope<'a> {
    pub(in super::super) fn new(
        world: &'a World<'a>,
        recipe: &Name,
        defaults: Map<String, Value>,
        own: Vec<usize>,
    ) -> Self {
        let hosts = world.members.hosts.iter().map(|member| {
            let host = &member.host;
            json!({
                "name": host.name,
                "address": host.address,
                "groups": host.groups,
                "vars": over(&defaults, &member.vars),
            })
        });
        let mut firsts = HashMap::new();
        let first_like = |(index, member): (usize, &Member)| {
            let vars = serde_json::to_string(&member.vars).unwrap_or_default();
            *firsts.entry(vars).or_insert(index)
        };
        let alike = world.members.hosts.iter().enumerate().map(first_like);
        Self {
            hosts: hosts.collect(),
            alike: alike.collect(),
            texts: RefCell::default(),
            commands: RefCell::default(),
            preview: world.preview_of(recipe),
            world,
            defaults,
            own,
        }
    }

    /// What stands for every host that `source` says the same for; none if it speaks of its host.
    pub(super) fn shared_key(&self, source: &str, host: Option<usize>) -> Option<SharedKey> {
        let names_host = source
            .split("host")
            .skip(1)
            .any(|rest| !rest.starts_with('s'));
        let is_shared = !names_host && !source.contains("this");
        is_shared.then(|| (host.map(|index| self.alike[index]), source.to_owned()))
    }

    pub(super) fn known_text(&self, key: &SharedKey) -> Option<String> {
        self.texts.borrow().get(key).cloned()
    }

    pub(super) fn keep_text(&self, key: SharedKey, text: String) {
        self.texts.borrow_mut().insert(key, text);
    }

    pub(super) fn known_command(&self, key: &SharedKey) -> Option<Arc<Value>> {
        self.commands.borrow().get(key).cloned()
    }

    pub(super) fn keep_command(&self, key: SharedKey, context: Arc<Value>) {
        self.commands.borrow_mut().insert(key, context);
    }

    /// Whether a name is a var of a host, or of none, and so one that `--set` can give.
    pub(super) fn is_var(&self, name: &str, host: Option<usize>) -> bool {
        let members = self.world.members;
        let vars = host.map_or(&members.vars, |index| &members.hosts[index].vars);
        self.defaults.contains_key(name) || vars.contains_key(name)
    }

    /// Everything that `source` can name, for a host or for none. With hundreds of hosts their lists are
    /// most of a context's size, so that lists it does not mention are left empty.
    pub(super) fn context(&self, source: &str, host: Option<usize>) -> Value {
        let members = self.world.members;
        let vars = host.map_or(&members.vars, |index| &members.hosts[index].vars);
        let mut context = over(&self.defaults, vars);
        // A block or a `lookup` can come upon what the text does not name.
        let is_plain = !["#", "lookup", "vars"]
            .iter()
            .any(|word| source.contains(word));
        let names_each_group = source
            .split("groups")
            .skip(1)
            .all(|rest| rest.starts_with('.'));
        let list = |indexes: &mut dyn Iterator<Item = usize>| -> Value {
            let steps = &self.world.steps;
            let one = |index: usize| {
                steps.set(steps.get().saturating_add(1));
                let mut host = self.hosts[index].clone();
                if is_plain && let Some(host) = host.as_object_mut() {
                    host.remove("vars");
                }
                host
            };
            indexes.map(one).collect()
        };
        let mut groups = Map::new();
        let mut hosts = json!([]);
        if source.contains("hosts") {
            hosts = list(&mut self.own.iter().copied());
        }
        if source.contains("groups") {
            let is_needed = |group: &str| !is_plain || !names_each_group || source.contains(group);
            let mut add = |name: &str, is_inside: &dyn Fn(usize) -> bool| {
                let mut inside =
                    (0..self.hosts.len()).filter(|index| is_needed(name) && is_inside(*index));
                groups.insert(name.to_owned(), list(&mut inside));
            };
            for group in &members.groups {
                add(group, &|index| {
                    members.hosts[index].host.groups.contains(group)
                });
            }
            add("all", &|_| true);
        }
        context.insert(
            "environment".to_owned(),
            self.world.environment.to_string().into(),
        );
        context.insert("preview".to_owned(), self.preview.into());
        context.insert("hosts".to_owned(), hosts);
        context.insert("groups".to_owned(), groups.into());
        if let Some(index) = host {
            context.insert("host".to_owned(), self.hosts[index].clone());
        }
        context.into()
    }
}

fn over(defaults: &Map<String, Value>, vars: &Map<String, Value>) -> Map<String, Value> {
    let mut all = defaults.clone();
    all.extend(vars.clone());
    all
}
