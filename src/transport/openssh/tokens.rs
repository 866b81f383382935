//! `%h`, `%r`, `${HOME}` and `~` in OpenSSH's configuration (`ssh_config(5)`, TOKENS).

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    paths::Paths,
    ssh_config::{ConfigProblem, Value},
};

/// What the tokens stand for.
pub(in crate::transport) struct Tokens<'a> {
    pub(in crate::transport) paths: &'a Paths,
    /// `%n`
    pub(in crate::transport) original_host: String,
    /// `%h`
    pub(in crate::transport) host: String,
    /// `%p`
    pub(in crate::transport) port: u16,
    /// `%r`
    pub(in crate::transport) user: String,
    /// `%k`
    pub(in crate::transport) alias: Option<String>,
}

impl Tokens<'_> {
    /// A text of a value, with variables.
    pub(in crate::transport) fn text(
        &self,
        value: &Value,
        text: &str,
    ) -> Result<String, ConfigProblem> {
        variables(&self.percent(value, text)?)
            .ok_or_else(|| value.problem(format!("`{text}` names a variable that is not set")))
    }

    /// All words of a value as paths; `none` is no path.
    pub(in crate::transport) fn paths(&self, value: &Value) -> Result<Vec<PathBuf>, ConfigProblem> {
        value
            .words
            .iter()
            .filter(|word| !word.eq_ignore_ascii_case("none"))
            .map(|word| self.path(value, word))
            .collect()
    }

    /// One word of a value as a path.
    pub(in crate::transport) fn path(
        &self,
        value: &Value,
        word: &str,
    ) -> Result<PathBuf, ConfigProblem> {
        let path = self.paths.expand(Path::new(word));
        if word.starts_with('~') && word != "~" && !word.starts_with("~/") {
            return Err(value.problem(format!("`{word}` is in another user's home")));
        }
        let text = self.text(value, &path.to_string_lossy())?;
        Ok(PathBuf::from(text))
    }

    /// A text of a value, with `%` only.
    pub(in crate::transport) fn percent(
        &self,
        value: &Value,
        text: &str,
    ) -> Result<String, ConfigProblem> {
        let mut expanded = String::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            match characters.next() {
                Some('%') => expanded.push('%'),
                Some('d') => expanded.push_str(&self.paths.home.to_string_lossy()),
                Some('h') => expanded.push_str(&self.host),
                Some('k') => expanded.push_str(self.alias.as_ref().unwrap_or(&self.original_host)),
                Some('n') => expanded.push_str(&self.original_host),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(&self.user),
                Some('u') => expanded.push_str(&self.paths.user),
                other => {
                    let token = other.map(String::from).unwrap_or_default();
                    return Err(value.problem(format!("the token `%{token}` is not supported")));
                }
            }
        }
        Ok(expanded)
    }
}

/// Replaces `${NAME}`; `None` when a variable is not set.
fn variables(text: &str) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        expanded.push_str(&rest[..start]);
        expanded.push_str(&env::var(&rest[start + 2..start + length]).ok()?);
        rest = &rest[start + length + 1..];
    }
    expanded.push_str(rest);
    Some(expanded)
}
