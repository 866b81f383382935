//! The files, read for one host.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, glob_with};
use wildmatch::WildMatch;

use crate::transport::openssh::paths::Paths;

/// Includes within includes at most, as in OpenSSH.
const DEEPEST: usize = 16;

/// The keywords that have a meaning for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::transport) enum Keyword {
    ConnectTimeout,
    GlobalKnownHostsFile,
    HostKeyAlias,
    HostName,
    IdentitiesOnly,
    IdentityAgent,
    IdentityFile,
    Port,
    /// `ProxyJump` or `ProxyCommand`: the first of them counts, and the value is its whole line.
    Proxy,
    RevokedHostKeys,
    StrictHostKeyChecking,
    User,
    UserKnownHostsFile,
}

impl Keyword {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "connecttimeout" => Self::ConnectTimeout,
            "globalknownhostsfile" => Self::GlobalKnownHostsFile,
            "hostkeyalias" => Self::HostKeyAlias,
            "hostname" => Self::HostName,
            "identitiesonly" => Self::IdentitiesOnly,
            "identityagent" => Self::IdentityAgent,
            "identityfile" => Self::IdentityFile,
            "port" => Self::Port,
            "proxyjump" | "proxycommand" => Self::Proxy,
            "revokedhostkeys" => Self::RevokedHostKeys,
            "stricthostkeychecking" => Self::StrictHostKeyChecking,
            "user" => Self::User,
            "userknownhostsfile" => Self::UserKnownHostsFile,
            _ => return None,
        })
    }
}

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
    /// The keyword as written, for `ProxyJump` and `ProxyCommand` in lowercase.
    pub(in crate::transport) keyword: String,
    pub(in crate::transport) words: Vec<String>,
    file: PathBuf,
    line: usize,
    /// The condition that decides whether it counts, if we cannot tell.
    condition: Option<String>,
}

impl Value {
    pub(in crate::transport) fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
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

    /// All values of a keyword that adds up.
    pub(in crate::transport) fn all(&self, keyword: Keyword) -> Result<&[Value], ConfigProblem> {
        let values = self.0.get(&keyword).map_or(&[][..], Vec::as_slice);
        match values.iter().find(|value| value.condition.is_some()) {
            Some(value) => Err(value.problem(format!(
                "`Match {}` decides over `{}` here, and shipit does not evaluate it",
                value.condition.as_deref().unwrap_or_default(),
                value.keyword
            ))),
            None => Ok(values),
        }
    }
}

/// Who is looked up.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) struct Lookup<'a> {
    /// The name as given, before any `HostName`.
    pub(in crate::transport) host: &'a str,
    /// The user, where the inventory or a jump host's text names one.
    pub(in crate::transport) user: Option<&'a str>,
}

/// A configuration file to read.
#[derive(Debug, Clone)]
pub(in crate::transport) struct ConfigFile {
    pub(in crate::transport) path: PathBuf,
    /// Where its relative includes are.
    pub(in crate::transport) folder: PathBuf,
    /// Whether it is an error when it is not there.
    pub(in crate::transport) required: bool,
}

/// Evaluates the files, in order, for one host.
pub(in crate::transport) fn evaluate(
    files: &[ConfigFile],
    lookup: Lookup<'_>,
    paths: &Paths,
) -> Result<HostConfig, ConfigProblem> {
    let mut evaluation = Evaluation {
        lookup,
        paths,
        config: HostConfig::default(),
    };
    for file in files {
        evaluation.file(file, &State::Applies, 0)?;
    }
    Ok(evaluation.config)
}

/// Whether a section applies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Applies,
    DoesNot,
    /// Only if this condition holds, which we cannot tell.
    Perhaps(String),
}

struct Evaluation<'a> {
    lookup: Lookup<'a>,
    paths: &'a Paths,
    config: HostConfig,
}

impl Evaluation<'_> {
    fn file(
        &mut self,
        file: &ConfigFile,
        around: &State,
        depth: usize,
    ) -> Result<(), ConfigProblem> {
        let problem = |line, reason: String| ConfigProblem {
            file: file.path.clone(),
            line,
            reason,
        };
        if depth > DEEPEST {
            return Err(problem(0, "includes go round in a circle".to_owned()));
        }
        let text = match fs::read(&file.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // OpenSSH reads a folder as an empty file.
            Err(error) if !file.required && (is_absent(&error) || is_folder(&error)) => {
                return Ok(());
            }
            Err(error) => return Err(problem(0, error.to_string())),
        };
        let mut state = around.clone();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let Some((name, rest)) = split_keyword(line) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let keyword = Keyword::from_name(&name);
            if keyword.is_none() && !["host", "match", "include"].contains(&name.as_str()) {
                continue;
            }
            let words = split_words(rest)
                .ok_or_else(|| problem(line_number, "unbalanced quotes".into()))?;
            if words.is_empty() {
                return Err(problem(line_number, format!("`{name}` has no value")));
            }
            match (name.as_str(), keyword) {
                ("host", _) => {
                    state = both(around, self.host_matches(&words));
                }
                ("match", _) => state = both(around, self.match_holds(&words)),
                ("include", _) => {
                    for pattern in &words {
                        for path in self.included(pattern, file) {
                            let included = ConfigFile {
                                path,
                                folder: file.folder.clone(),
                                required: false,
                            };
                            self.file(&included, &state, depth + 1)?;
                        }
                    }
                }
                (_, Some(keyword)) => self.set(
                    keyword,
                    &state,
                    Value {
                        keyword: name.clone(),
                        words,
                        file: file.path.clone(),
                        line: line_number,
                        condition: None,
                    },
                ),
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn set(&mut self, keyword: Keyword, state: &State, mut value: Value) {
        match state {
            State::DoesNot => return,
            State::Applies => {}
            State::Perhaps(condition) => value.condition = Some(condition.clone()),
        }
        let values = self.config.0.entry(keyword).or_default();
        if values.is_empty() || keyword == Keyword::IdentityFile {
            values.push(value);
        }
    }

    fn host_matches(&self, patterns: &[String]) -> State {
        decided(list_matches(
            patterns.iter().map(String::as_str),
            self.lookup.host,
        ))
    }

    /// A `Match` line: all its criteria must hold.
    fn match_holds(&self, words: &[String]) -> State {
        let mut state = State::Applies;
        let mut words_left = words.iter().map(String::as_str);
        while let Some(word) = words_left.next() {
            let (word, inline) = match word.split_once('=') {
                Some((word, argument)) => (word, Some(argument)),
                None => (word, None),
            };
            let (negated, criterion) = match word.strip_prefix('!') {
                Some(criterion) => (true, criterion.to_ascii_lowercase()),
                None => (false, word.to_ascii_lowercase()),
            };
            let holds = match criterion.as_str() {
                // `final` asks for a second reading of the files, in which it holds.
                "all" | "final" => State::Applies,
                // Host names are never canonicalized here.
                "canonical" => State::DoesNot,
                _ => match inline.or_else(|| words_left.next()) {
                    Some(argument) => self.criterion(&criterion, argument, words),
                    None => State::Perhaps(words.join(" ")),
                },
            };
            let holds = match holds {
                State::Applies if negated => State::DoesNot,
                State::DoesNot if negated => State::Applies,
                holds => holds,
            };
            state = both(&state, holds);
        }
        state
    }

    fn criterion(&self, criterion: &str, argument: &str, words: &[String]) -> State {
        let is = |text: &str| decided(list_matches(argument.split(','), text));
        match criterion {
            "originalhost" => is(self.lookup.host),
            "host" => match self.config.get(Keyword::HostName) {
                Ok(Some(name)) => is(&name.first().replace("%h", self.lookup.host)),
                Ok(None) => is(self.lookup.host),
                Err(_) => State::Perhaps(words.join(" ")),
            },
            "user" => match (self.lookup.user, self.config.get(Keyword::User)) {
                (Some(user), _) => is(user),
                (None, Ok(Some(user))) => is(user.first()),
                (None, Ok(None)) => is(&self.paths.user),
                (None, Err(_)) => State::Perhaps(words.join(" ")),
            },
            "localuser" => is(&self.paths.user),
            // There is no tag without `ssh -P`, and what runs is never a subsystem or a shell.
            "tagged" => State::DoesNot,
            "sessiontype" => is("exec"),
            _ => State::Perhaps(words.join(" ")),
        }
    }

    /// The files an `Include` names, in order, as glob(3) finds them; a pattern that matches none is no
    /// error.
    fn included(&self, pattern: &str, by: &ConfigFile) -> Vec<PathBuf> {
        let pattern = self.paths.expand(Path::new(pattern));
        let pattern = by.folder.join(pattern);
        let Some(pattern) = pattern.to_str() else {
            return Vec::new();
        };
        // To glob(3) `**` is no more than `*`.
        let mut pattern = pattern.to_owned();
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        glob_with(&pattern, options)
            .map(|found| found.filter_map(Result::ok).collect())
            .unwrap_or_default()
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn is_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::IsADirectory
}

fn decided(holds: bool) -> State {
    if holds {
        State::Applies
    } else {
        State::DoesNot
    }
}

/// What holds only where both hold.
fn both(around: &State, within: State) -> State {
    match (around, within) {
        (State::DoesNot, _) | (_, State::DoesNot) => State::DoesNot,
        (State::Applies, within) => within,
        (State::Perhaps(condition), _) => State::Perhaps(condition.clone()),
    }
}

/// A list of patterns holds when one does and none of the negated ones.
fn list_matches<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        let (negated, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if WildMatch::new(pattern).matches(text) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found
}

/// The keyword of a line and the rest; `None` for blank lines and comments.
fn split_keyword(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword, rest.trim()))
}

/// Words, quoted with `"` or `'` where they hold blanks; `#` begins a comment where a word would begin.
/// `None` when a quote does not end.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        match characters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = characters.next_if(|c| quote.is_some() || !c.is_whitespace()) {
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) => quote = Some(c),
                ('\\', _) => match characters.next_if(|c| "\"'\\ ".contains(*c)) {
                    Some(escaped) => word.push(escaped),
                    None => word.push('\\'),
                },
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}
