//! What templates can name, and the resolving of a recipe's strings in it.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    Overrides, Project, did_you_mean,
    hosts::{Member, Members},
    recipes::RawRecipe,
};
use crate::{
    config::{
        inventory::Inventory,
        values::{Entries, VarValue},
    },
    diagnostic::{Located, Place, Problem, Problems, SourceFile},
    model::{
        ImageSource, LateValues, Name, Template,
        template::{self, HELPERS, TemplateError},
    },
};

/// Names that are taken, so that no var can have them.
const RESERVED: [&str; 12] = [
    "host",
    "hosts",
    "groups",
    "environment",
    "release",
    "container",
    "this",
    "else",
    "as",
    "true",
    "false",
    "null",
];

/// Everything that recipes are resolved in.
pub(super) struct World<'a> {
    pub project: &'a Project,
    pub environment: &'a Name,
    pub members: &'a Members,
    pub default_source: ImageSource,
}

/// The vars of a table, their names checked.
pub(super) fn vars(
    entries: Option<&Located<Entries<VarValue>>>,
    problems: &mut Problems,
) -> Map<String, Value> {
    let entries = entries
        .map(|entries| entries.0.as_slice())
        .unwrap_or_default();
    for (name, _) in entries {
        if let Some(problem) = wrong_var_name(name) {
            problems.push(problem.at(&name.place, "not a name for a var"));
        }
    }
    entries
        .iter()
        .map(|(name, value)| (name.value.clone(), value.value.0.clone()))
        .collect()
}

fn wrong_var_name(name: &str) -> Option<Problem> {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !is_word {
        return Some(
            Problem::error(format!("{name:?} cannot be the name of a var"))
                .hint("a letter or `_` first, then letters, digits, `_` or `-`"),
        );
    }
    (RESERVED.contains(&name) || HELPERS.contains(&name)).then(|| {
        Problem::error(format!("`{name}` means something else in templates"))
            .hint("take another name for the var")
    })
}

/// `--set` as vars. One that no file knows is most likely a slip.
pub(super) fn overrides(
    overrides: &Overrides,
    inventory: &Inventory,
    recipes: &[RawRecipe],
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut set = Map::new();
    for (key, value) in &overrides.set {
        if let Some(problem) = wrong_var_name(key) {
            problems.push(problem.at(&command_line(key, value), "not a name for a var"));
            continue;
        }
        if value.contains('\0') {
            problems
                .push(Problem::error("a NUL byte in a value").at(&command_line(key, value), ""));
        }
        let known = known_vars(inventory, recipes);
        let is_named = recipes
            .iter()
            .any(|recipe| recipe.file.source.text().contains(key.as_str()));
        if !is_named && !known.contains(&key.as_str()) {
            problems.push(
                Problem::warning(format!("no recipe uses `{key}`"))
                    .at(&command_line(key, value), "")
                    .maybe_hint(did_you_mean(key, known)),
            );
        }
        let is_text = declared(inventory, recipes, key).any(Value::is_string);
        let text = || Value::from(value.as_str());
        let typed = if is_text {
            text()
        } else {
            typed(value).unwrap_or_else(text)
        };
        set.insert(key.clone(), typed);
    }
    set
}

/// A boolean or a number as a file would have it, if it is printed as it was typed: `1.10` is a text.
fn typed(text: &str) -> Option<Value> {
    let value = serde_json::from_str::<Value>(text).ok()?;
    let printed = value.to_string();
    ((value.is_boolean() || value.is_number()) && printed == text).then_some(value)
}

fn command_line(key: &str, value: &str) -> Place {
    let text = format!("--set {key}={value}");
    SourceFile::new("command line", text).place(6..6 + key.len())
}

fn known_vars<'a>(inventory: &'a Inventory, recipes: &'a [RawRecipe]) -> Vec<&'a str> {
    all_vars(inventory, recipes)
        .map(|(name, _)| name.value.as_str())
        .collect()
}

/// What the files have under the name of a var.
fn declared<'a>(
    inventory: &'a Inventory,
    recipes: &'a [RawRecipe],
    key: &'a str,
) -> impl Iterator<Item = &'a Value> {
    all_vars(inventory, recipes)
        .filter(move |(name, _)| name.value == key)
        .map(|(_, value)| &value.value.0)
}

fn all_vars<'a>(
    inventory: &'a Inventory,
    recipes: &'a [RawRecipe],
) -> impl Iterator<Item = &'a (Located<String>, Located<VarValue>)> {
    let of_hosts = inventory.hosts.iter().flat_map(|hosts| &hosts.0);
    let of_groups = inventory.groups.iter().flat_map(|groups| &groups.0);
    let tables = recipes
        .iter()
        .map(|recipe| &recipe.file.content.vars)
        .chain([&inventory.vars])
        .chain(of_hosts.map(|(_, host)| &host.vars))
        .chain(of_groups.map(|(_, group)| &group.vars));
    tables.flatten().flat_map(|vars| &vars.0)
}

/// A text, and the first of the hosts that it is the same for.
type SharedKey = (Option<usize>, String);

/// What the templates of one recipe can name.
pub(super) struct Scope<'a> {
    world: &'a World<'a>,
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
    pub(super) fn new(world: &'a World<'a>, defaults: Map<String, Value>, own: Vec<usize>) -> Self {
        let hosts = world.members.hosts.iter().map(|member| {
            let host = &member.host;
            json!({
                "name": host.name,
                "address": host.address,
                "groups": host.groups,
                "vars": over(&defaults, &member.vars),
            })
        });
        let all = &world.members.hosts;
        let first_like = |member: &Member| all.iter().position(|other| other.vars == member.vars);
        Self {
            hosts: hosts.collect(),
            alike: all.iter().filter_map(first_like).collect(),
            texts: RefCell::default(),
            commands: RefCell::default(),
            world,
            defaults,
            own,
        }
    }

    /// What stands for every host that `source` says the same for; none if it speaks of its host.
    fn shared_key(&self, source: &str, host: Option<usize>) -> Option<SharedKey> {
        let names_host = source
            .split("host")
            .skip(1)
            .any(|rest| !rest.starts_with('s'));
        let is_shared = !names_host && !source.contains("this");
        is_shared.then(|| (host.map(|index| self.alike[index]), source.to_owned()))
    }

    fn known_text(&self, key: &SharedKey) -> Option<String> {
        self.texts.borrow().get(key).cloned()
    }

    fn known_command(&self, key: &SharedKey) -> Option<Arc<Value>> {
        self.commands.borrow().get(key).cloned()
    }

    /// Everything that `source` can name, for a host or for none. With hundreds of hosts their lists are
    /// most of a context's size, so that lists it does not mention are left empty.
    fn context(&self, source: &str, host: Option<usize>) -> Value {
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
            let one = |index: usize| {
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

/// Resolves a recipe's strings for one host, or for none.
pub(super) struct Resolver<'a> {
    pub scope: &'a Scope<'a>,
    pub host: Option<usize>,
    pub problems: &'a mut Problems,
}

impl Resolver<'_> {
    pub(super) fn project(&self) -> &Project {
        self.scope.world.project
    }

    pub(super) fn default_source(&self) -> ImageSource {
        self.scope.world.default_source
    }

    /// The text with every name filled in.
    pub(super) fn text(&mut self, text: &Located<String>) -> String {
        self.text_at(text, &text.place)
    }

    /// The same for a text that is not a value of its own.
    pub(super) fn text_at(&mut self, text: &str, place: &Place) -> String {
        if !template::is_template(text) {
            return text.to_owned();
        }
        let key = self.scope.shared_key(text, self.host);
        if let Some(known) = key.as_ref().and_then(|key| self.scope.known_text(key)) {
            return known;
        }
        match template::render(text, self.scope.context(text, self.host)) {
            Ok(rendered) => {
                if let Some(key) = key {
                    let mut texts = self.scope.texts.borrow_mut();
                    texts.insert(key, rendered.clone());
                }
                rendered
            }
            Err(errors) => {
                self.report(errors, place, text);
                text.to_owned()
            }
        }
    }

    /// The same, refused when it is empty or has control characters: where a line break cannot be meant.
    pub(super) fn line(&mut self, text: &Located<String>) -> String {
        let line = self.text(text);
        if line.is_empty() || line.contains(char::is_control) {
            let what = if line.is_empty() {
                "an empty text"
            } else {
                "a line break or another control character"
            };
            self.problems
                .push(Problem::error(what).at(&text.place, "expected one line of text"));
        }
        line
    }

    /// A command, which may also name what only a deploy knows.
    pub(super) fn command(&mut self, text: &Located<String>) -> Template {
        let mut command = Template {
            source: text.value.clone(),
            context: Arc::default(),
        };
        if template::is_template(text) {
            let key = self.scope.shared_key(text, self.host);
            let known = key.as_ref().and_then(|key| self.scope.known_command(key));
            if let Some(context) = known {
                command.context = context;
                return command;
            }
            command.context = Arc::new(self.scope.context(text, self.host));
            match (command.render_all(&LateValues::dummy()), key) {
                (Ok(_), Some(key)) => {
                    let mut commands = self.scope.commands.borrow_mut();
                    commands.insert(key, Arc::clone(&command.context));
                }
                (Ok(_), None) => {}
                (Err(errors), _) => self.report(errors, &text.place, text),
            }
        }
        if text.trim().is_empty() {
            self.problems
                .push(Problem::error("an empty command").at(&text.place, "nothing to run"));
        }
        command
    }

    fn report(&mut self, errors: Vec<TemplateError>, place: &Place, source: &str) {
        let label = match self.host {
            Some(index) => {
                let host = &self.scope.world.members.hosts[index].host;
                format!("here, on `{}`", host.name)
            }
            None => "here".to_owned(),
        };
        for error in errors {
            let at = within(place, source, &error);
            self.problems.push(
                Problem::error(error.message)
                    .at(&at, label.clone())
                    .maybe_hint(error.hint),
            );
        }
    }
}

/// Where in the file a mistake in a string stands: what an escape stands for is shorter than the escape.
fn within(place: &Place, source: &str, error: &TemplateError) -> Place {
    let raw = place.text();
    let end = (error.offset + error.length).min(source.len());
    match (raw_offset(raw, error.offset), raw_offset(raw, end)) {
        (Some(start), Some(end)) => place
            .file
            .place(place.span.start + start..place.span.start + end),
        // Not a TOML string: a file that is a template itself.
        _ if raw == source => place
            .file
            .place(place.span.start + error.offset..place.span.start + end),
        _ => place.clone(),
    }
}

/// Where the decoded byte `target` of a TOML string stands in its raw text.
fn raw_offset(raw: &str, target: usize) -> Option<usize> {
    let quote = raw.chars().next().filter(|c| "\"'".contains(*c))?;
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let is_multiline = raw.len() >= 6 && raw.starts_with(&triple);
    let mut at = if is_multiline { 3 } else { 1 };
    if is_multiline {
        let body = &raw[at..];
        at += body.len()
            - body
                .strip_prefix("\r\n")
                .or(body.strip_prefix('\n'))
                .unwrap_or(body)
                .len();
    }
    let mut decoded = 0;
    while decoded < target {
        let mut rest = raw[at..].chars();
        let character = rest.next()?;
        if character != '\\' || quote == '\'' {
            at += character.len_utf8();
            decoded += character.len_utf8();
            continue;
        }
        let escape = rest.next()?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        at += 1 + escape.len_utf8() + digits;
        decoded += if digits > 0 {
            let code = u32::from_str_radix(raw.get(at - digits..at)?, 16).ok()?;
            char::from_u32(code)?.len_utf8()
        } else if escape.is_whitespace() {
            let continued = &raw[at..];
            at += continued.len() - continued.trim_start().len();
            0
        } else {
            1
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_string_is_found_behind_escapes() {
        for (raw, target, expected) in [
            (r#""a{{b""#, 1, "{{b\""),
            (r"'a\{{b'", 2, "{{b'"),
            (r#""\"é\u00e9\t{{b""#, 6, "{{b\""),
            ("\"\"\"\na\n{{b\"\"\"", 2, "{{b\"\"\""),
            ("\"\"\"a \\\n   {{b\"\"\"", 2, "\\\n   {{b\"\"\""),
            ("'''\n{{b'''", 0, "{{b'''"),
        ] {
            let found = raw_offset(raw, target).map(|at| &raw[at..]);
            assert_eq!(found, Some(expected), "{raw}");
        }
        assert_eq!(raw_offset("5", 0), None);
    }
}
