//! The nodes of a YAML file.

use crate::diagnostic::Place;

/// A node and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// A text, a number, a date: as it is written, without its quotes.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(Map),
}

/// A mapping, in its order.
#[derive(Debug, Clone, Default)]
pub struct Map(pub Vec<(Key, Node)>);

/// A key of a mapping.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its text.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

impl Map {
    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let mut named = self.0.iter().filter(|(key, _)| key.name == name);
        named.next().map(|(_, node)| node)
    }

    /// Takes the value of a key out. What is never taken is left over, and told.
    pub fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(key, _)| key.name == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a key whose value is a text. One of another kind stays, for whoever tells what is left over.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.get(name)?.text()?.to_owned();
        self.take(name);
        Some(text)
    }

    /// Takes a key whose value is a mapping. One of another kind stays.
    pub fn take_map(&mut self, name: &str) -> Option<Self> {
        let map = self.get(name)?.map()?.clone();
        self.take(name);
        Some(map)
    }
}

impl Node {
    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A mapping.
    pub fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Whether it says nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Whether it is a `true`, as YAML and those who wrote for its older version have it.
    pub fn is_true(&self) -> bool {
        matches!(
            self.text(),
            Some("true" | "True" | "TRUE" | "yes" | "Yes" | "on" | "On")
        )
    }

    /// Whether it is a `false`.
    pub fn is_false(&self) -> bool {
        matches!(
            self.text(),
            Some("false" | "False" | "FALSE" | "no" | "No" | "off" | "Off")
        )
    }

    /// The texts of a list of them; of one text, that.
    pub fn texts(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::Text(text) => Some(vec![text.clone()]),
            Value::List(items) => {
                let texts = items.iter().map(|item| item.text().map(str::to_owned));
                texts.collect()
            }
            Value::Null | Value::Map(_) => None,
        }
    }

    /// Names with their values, however they are written: as a mapping or as a list of `NAME=VALUE`.
    pub fn pairs(&self) -> Option<Vec<(String, Option<String>)>> {
        match &self.value {
            Value::Null => Some(Vec::new()),
            Value::Map(map) => {
                let pairs = map.0.iter().map(|(key, node)| {
                    let value = match &node.value {
                        Value::Null => None,
                        Value::Text(text) => Some(text.clone()),
                        Value::List(_) | Value::Map(_) => return None,
                    };
                    Some((key.name.clone(), value))
                });
                pairs.collect()
            }
            Value::List(items) => {
                let pairs = items.iter().map(|item| {
                    let text = item.text()?;
                    Some(match text.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (text.to_owned(), None),
                    })
                });
                pairs.collect()
            }
            Value::Text(_) => None,
        }
    }

    /// All of it in one line, for a comment.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) if text.is_empty() => "\"\"".to_owned(),
            Value::Text(text) => text.clone(),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(Self::shown).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(map) => {
                let pairs = map.0.iter();
                let pairs = pairs.map(|(key, node)| format!("{}: {}", key.name, node.shown()));
                let pairs: Vec<_> = pairs.collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }
}
