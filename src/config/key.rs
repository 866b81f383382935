//! What is known of every key of the files: schemas, docs and explanations are made from it.

use serde_json::Value;

/// A table of the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it is about, in a sentence.
    pub about: String,
    /// Its keys, in the order in which they are declared.
    pub keys: Vec<Key>,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it means, in sentences. Markdown.
    pub meaning: String,
    /// What it takes: `duration`, `list of strings`. Markdown.
    pub value: String,
    /// Whether its value is a table of its own, or a list of them.
    pub shape: Shape,
    /// The value that is meant when it is not written, if there is such a value.
    pub default: Option<Value>,
    /// What is meant when it is not written, in words that go before `default`. Markdown.
    pub default_in_words: Option<&'static str>,
    /// That it must be written, in words.
    pub needed: Option<&'static str>,
    /// The values it may have.
    pub range: Option<KeyRange>,
    /// Whether it counts in the hash of a container's spec: a change of it replaces the container.
    pub in_spec_hash: bool,
    /// The options of `docker run` that it stands for, and what its value looks like in a file.
    pub docker: Option<DockerOptions>,
}

/// What a key's value looks like in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `key = …`
    Value,
    /// `[key]`
    Table,
    /// `[[key]]`
    Tables,
}

/// The options of `docker run` that a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DockerOptions {
    /// `--publish`, and other names of it.
    pub names: &'static [&'static str],
    /// What is written instead: `["8080:80"]`.
    pub example: &'static str,
}

/// The values that a key may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// In words: `at least 1`.
    pub words: String,
    /// The smallest and the largest, for numbers.
    pub numbers: Option<Limits>,
}

/// The smallest and the largest of some values, counted in their smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The smallest that is allowed.
    pub least: u64,
    /// The largest that is allowed, if there is such.
    pub most: Option<u64>,
}

impl Limits {
    /// Whether `amount` is allowed.
    pub fn contain(self, amount: u64) -> bool {
        amount >= self.least && self.most.is_none_or(|most| amount <= most)
    }
}

impl From<std::ops::RangeFrom<u64>> for Limits {
    fn from(range: std::ops::RangeFrom<u64>) -> Self {
        Self {
            least: range.start,
            most: None,
        }
    }
}

impl From<std::ops::RangeInclusive<u64>> for Limits {
    fn from(range: std::ops::RangeInclusive<u64>) -> Self {
        Self {
            least: *range.start(),
            most: Some(*range.end()),
        }
    }
}

/// A kind of value that can have limits.
pub trait Ranged {
    /// Whether it is a number in the file, so that an editor can check its limits.
    const IS_NUMBER: bool;

    /// How much it is, in its smallest unit.
    fn amount(&self) -> u64;

    /// The limits in words.
    fn within(limits: Limits) -> String;
}

/// The values that a key of this kind may have.
pub fn range<T: Ranged>(limits: impl Into<Limits>) -> KeyRange {
    let limits = limits.into();
    KeyRange {
        words: T::within(limits),
        numbers: T::IS_NUMBER.then_some(limits),
    }
}

/// A kind of value that a key can have as its default.
pub trait Written {
    /// How a file has it.
    fn written(&self) -> Value;
}

impl Key {
    /// What it takes, with its limits.
    pub fn value_in_words(&self) -> String {
        match &self.range {
            Some(range) => format!("{}, {}", self.value, range.words),
            None => self.value.clone(),
        }
    }

    /// What is meant when it is not written. Markdown; `None` when nothing is.
    pub fn default_shown(&self) -> Option<String> {
        if let Some(words) = self.default_in_words {
            return Some(words.to_owned());
        }
        self.default.as_ref().map(|default| match default {
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        })
    }
}
