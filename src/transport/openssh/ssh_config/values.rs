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

#[cfg(test)]
impl Value {
    /// A line of a configuration, its words as they are between blanks.
    pub(in crate::transport) fn for_tests(keyword: &str, text: &str) -> Self {
        Self {
            keyword: keyword.to_owned(),
            words: text.split_whitespace().map(str::to_owned).collect(),
            text: text.to_owned(),
            file: "config".into(),
            line: 7,
            condition: None,
        }
    }
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
pub(in crate::transport) struct HostConfig {
    values: HashMap<Keyword, Vec<Value>>,
    /// The name that the first reading gave the host; a second one does not change it.
    host_name: Option<String>,
}

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
        // To OpenSSH this is the same as no value yet, so that a later one counts.
        let is_unset = keyword == Keyword::ConnectTimeout && value.first() == "none";
        if is_unset || self.is_settled(keyword) {
            return;
        }
        let values = self.values.entry(keyword).or_default();
        // The second reading comes across all of them again.
        let is_there = |known: &Value| known.words == value.words && known.condition.is_none();
        if values.is_empty() || (keyword.adds_up() && !values.iter().any(is_there)) {
            values.push(value);
        }
    }

    /// Whether what follows counts no more: of `ProxyJump` and `ProxyCommand` only the first one does. (So
    /// the manual; some versions of OpenSSH go on after `ProxyJump none`.)
    fn is_settled(&self, keyword: Keyword) -> bool {
        match keyword {
            Keyword::ProxyJump => self.values.contains_key(&Keyword::ProxyCommand),
            Keyword::ProxyCommand => self.values.contains_key(&Keyword::ProxyJump),
            _ => false,
        }
    }

    /// All values of a keyword that adds up.
    pub(in crate::transport) fn all(&self, keyword: Keyword) -> Result<&[Value], ConfigProblem> {
        let values = self.values.get(&keyword).map_or(&[][..], Vec::as_slice);
        match values.iter().find(|value| value.condition.is_some()) {
            Some(value) => Err(value.problem(format!(
                "`Match {}` sets `{}` here, and shipit does not evaluate that condition",
                value.condition.as_deref().unwrap_or_default(),
                value.keyword
            ))),
            None => Ok(values),
        }
    }

    pub(super) fn fix_host_name(&mut self, name: String) {
        self.host_name = Some(name);
    }

    /// The name a host is reached by: what `HostName` makes of the one that was given. Names are in
    /// lowercase, addresses as they are.
    pub(in crate::transport) fn host_name(&self, given: &str) -> Result<String, ConfigProblem> {
        if let Some(name) = &self.host_name {
            return Ok(name.clone());
        }
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
