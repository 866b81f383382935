//! What the files say of the keywords we know, for one host.

use std::{collections::HashMap, net::IpAddr, path::PathBuf};

use super::keyword::Keyword;

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct ConfigProblem {
    pub(in crate::transport) file: PathBuf,
    /// From 1; 0 for the file as a whole.
    pub(in crate::transport) line: usize,
    pub(in crate::transport) reason: String,
}

/// The words after a keyword, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct Value {
    /// The keyword in lowercase.
    pub(in crate::transport) keyword: String,
    pub(in crate::transport) words: Vec<String>,
    /// All that follows the keyword, as it is written.
    pub(in crate::transport) text: String,
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// The condition that decides whether it counts, if we cannot tell.
    pub(super) condition: Option<String>,
}

impl Value {
    pub(in crate::transport) fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether it is `none`, which is no value.
    pub(in crate::transport) fn is_none(&self) -> bool {
        self.text.eq_ignore_ascii_case("none")
    }

    pub(in crate::transport) fn problem(&self, reason: impl Into<String>) -> ConfigProblem {
        ConfigProblem {
            file: self.file.clone(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

/// What the files say about one host.
#[derive(Debug, Default)]
pub(in crate::transport) struct HostConfig(HashMap<Keyword, Vec<Value>>);

impl HostConfig {
    /// The value of a keyword, or an error when an undecidable condition decides over it.
    pub(in crate::transport) fn get(
        &self,
        keyword: Keyword,
    ) -> Result<Option<&Value>, ConfigProblem> {
        Ok(self.all(keyword)?.first())
    }

    /// The first value of a keyword counts; some keywords add up.
    pub(super) fn add(&mut self, keyword: Keyword, value: Value) {
        if self.is_settled(keyword) {
            return;
        }
        let values = self.0.entry(keyword).or_default();
        // The second reading comes across all of them again.
        let is_there = |known: &Value| known.words == value.words && known.condition.is_none();
        if values.is_empty() || (keyword.adds_up() && !values.iter().any(is_there)) {
            values.push(value);
        }
    }

    /// Whether what follows counts no more: of `ProxyJump` and `ProxyCommand` the first one does, but
    /// `ProxyJump none` leaves it to a `ProxyCommand` further down.
    fn is_settled(&self, keyword: Keyword) -> bool {
        let first = |keyword| self.0.get(&keyword).and_then(|values| values.first());
        match keyword {
            Keyword::ProxyJump => first(Keyword::ProxyCommand).is_some(),
            Keyword::ProxyCommand => {
                first(Keyword::ProxyJump).is_some_and(|value| !value.is_none())
            }
            _ => false,
        }
    }

    /// All values of a keyword that adds up.
    pub(in crate::transport) fn all(&self, keyword: Keyword) -> Result<&[Value], ConfigProblem> {
        let values = self.0.get(&keyword).map_or(&[][..], Vec::as_slice);
        match values.iter().find(|value| value.condition.is_some()) {
            Some(value) => Err(value.problem(format!(
                "`Match {}` sets `{}` here, and shipit does not evaluate that condition",
                value.condition.as_deref().unwrap_or_default(),
                value.keyword
            ))),
            None => Ok(values),
        }
    }

    /// The name a host is reached by: what `HostName` makes of the one that was given. Names are in
    /// lowercase, addresses as they are.
    pub(in crate::transport) fn host_name(&self, given: &str) -> Result<String, ConfigProblem> {
        let name = match self.get(Keyword::HostName)? {
            None => given.to_owned(),
            Some(value) => expand_host(value, given)?,
        };
        Ok(match name.parse::<IpAddr>() {
            Ok(_) => name,
            Err(_) => name.to_ascii_lowercase(),
        })
    }
}

/// `HostName` knows only the tokens `%h` and `%%`.
fn expand_host(value: &Value, given: &str) -> Result<String, ConfigProblem> {
    let mut expanded = String::new();
    let mut characters = value.first().chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => match characters.next() {
                Some('%') => expanded.push('%'),
                Some('h') => expanded.push_str(given),
                other => {
                    let token = other.map(String::from).unwrap_or_default();
                    return Err(value.problem(format!("`HostName` has no token `%{token}`")));
                }
            },
            c => expanded.push(c),
        }
    }
    Ok(expanded)
}
