//! Writes one recipe from another tool's words: what has a counterpart as a key, everything else as a comment.

use toml::Value;

use super::variables::{Dialect, Piece, pieces};
use crate::{
    model::is_var_name,
    scaffold::{
        document::{Document, literal},
        fresh::recipe,
        yaml::{Map, Node},
    },
};

/// The section of the container.
pub const CONTAINER: &str = "[container]";

/// A recipe that is being written.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The file.
    pub document: Document,
    dialect: Dialect,
    vars: Vec<String>,
}

impl Writer {
    /// A recipe for these hosts.
    pub fn new(dialect: Dialect, description: &str, hosts: impl Into<Value>) -> Self {
        Self {
            document: recipe(description, hosts),
            dialect,
            vars: Vec::new(),
        }
    }

    /// Whose file it is made from.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Sets a key.
    pub fn set(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        self.document.section(section).set(key, value);
    }

    /// Sets a key to a text of the other tool's, which may have variables. `fallback` is what a variable without a
    /// default becomes.
    pub fn set_text(&mut self, section: &str, key: &str, text: &str, fallback: &str) {
        let text = self.filled(text, fallback);
        self.set(section, key, text);
    }

    /// Adds texts to a list.
    pub fn push(&mut self, section: &str, key: &str, text: &str, fallback: &str) {
        let text = self.filled(text, fallback);
        self.document.section(section).push(key, text);
    }

    /// Adds words to docker's options.
    pub fn option(&mut self, name: &str, value: Option<&str>) {
        self.document.section(CONTAINER).push("options", name);
        if let Some(value) = value {
            self.push(CONTAINER, "options", value, "");
        }
    }

    /// A variable of the container: of the files, or read on the deployer where it is nothing but a variable there.
    pub fn env(&mut self, name: &str, value: Option<&str>) {
        let parts = value.map(|value| pieces(value, self.dialect));
        let from = match parts.as_deref() {
            None => Some(name.to_owned()),
            Some([Piece::Variable(variable, None)]) => Some(variable.clone()),
            Some(_) => None,
        };
        match (from, value) {
            (Some(variable), _) => self.secret(name, &variable),
            (None, value) => {
                self.set_text("[container.env]", name, value.unwrap_or_default(), "");
            }
        }
    }

    /// A variable of the container that is read from one of the deployer's.
    pub fn secret(&mut self, name: &str, variable: &str) {
        let mut source = toml::Table::new();
        source.insert("env".to_owned(), variable.into());
        self.set("[container.secrets]", name, source);
    }

    /// A comment about something that has no counterpart.
    pub fn left_out(&mut self, section: &str, key: &str, node: &Node, why: &str) {
        let comment = left_out(self.dialect, key, node, why);
        self.document.section(section).note(comment);
    }

    /// The settings that may stand behind a name. What is neither they nor nothing is told.
    pub fn settings(&mut self, section: &str, path: &str, node: &Node) -> Option<Map> {
        let settings = node.map().cloned();
        if settings.is_none() && !node.is_null() {
            self.left_out(section, path, node, "");
        }
        settings
    }

    /// The same for all that is left of a mapping whose keys stand below `path`.
    pub fn left_over(&mut self, section: &str, path: &str, map: Map) {
        for (key, node) in map.0 {
            let key = match path {
                "" => key.name,
                path => format!("{path}.{}", key.name),
            };
            self.left_out(section, &key, &node, "");
        }
    }

    /// A remark that is about no key alone.
    pub fn note(&mut self, section: &str, text: &str) {
        let note = format!("{}: {text}", self.dialect.name());
        self.document.section(section).note(note);
    }

    /// A text with its variables as vars of the recipe.
    pub fn filled(&mut self, text: &str, fallback: &str) -> String {
        self.fill(pieces(text, self.dialect), fallback)
    }

    /// The same for a text that is taken apart already.
    pub(super) fn fill(&mut self, pieces: Vec<Piece>, fallback: &str) -> String {
        let mut filled = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    if self.dialect == Dialect::Kamal && text.contains("<%") {
                        let note = format!("`{text}` stands as a text: Ruby is not run");
                        self.note("", &note);
                    }
                    filled += &literal(&text);
                }
                Piece::Variable(name, default) => {
                    let name = self.var(&name, default, fallback);
                    filled.extend(["{{", &name, "}}"]);
                }
            }
        }
        filled
    }

    /// Makes a variable a var, once.
    fn var(&mut self, name: &str, default: Option<String>, fallback: &str) -> String {
        // Templates have some names for other things.
        let var = if is_var_name(name) {
            name.to_owned()
        } else {
            format!("{name}_")
        };
        if self.vars.contains(&var) {
            return var;
        }
        self.vars.push(var.clone());
        let vars = self.document.section("[vars]");
        let has_default = default.is_some();
        vars.set(&var, default.unwrap_or_else(|| fallback.to_owned()));
        if !has_default {
            let tool = self.dialect.name();
            vars.remark(&format!(
                "{tool}: a variable without a default; set it here, or with `--set`"
            ));
        }
        var
    }
}

/// What is said of something that has no counterpart.
pub fn left_out(dialect: Dialect, key: &str, node: &Node, why: &str) -> String {
    let what = format!("`{key}: {}`", node.shown());
    match why {
        "" => format!("{}: {what} has no counterpart", dialect.name()),
        why => format!("{}: {what} has no counterpart: {why}", dialect.name()),
    }
}
