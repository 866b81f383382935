//! `Host` and `Match`: whether a section applies.

use wildmatch::WildMatch;

use super::values::{HostConfig, Keyword};

/// Who is looked up.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) struct Lookup<'a> {
    /// The name as given, before any `HostName`.
    pub(in crate::transport) host: &'a str,
    /// The user, where the inventory or a jump host's text names one.
    pub(in crate::transport) user: Option<&'a str>,
}

/// Whether a section applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Applies,
    DoesNot,
    /// Only if this condition holds, which we cannot tell.
    Perhaps(String),
}

/// What conditions are about.
pub(super) struct Conditions<'a> {
    pub(super) lookup: Lookup<'a>,
    pub(super) local_user: &'a str,
    /// What the files have said so far.
    pub(super) config: &'a HostConfig,
}

impl Conditions<'_> {
    /// A `Host` line: one of its patterns must match, and none of the negated ones.
    pub(super) fn host_line(&self, patterns: &[String]) -> State {
        decided(list_matches(
            patterns.iter().map(String::as_str),
            self.lookup.host,
        ))
    }

    /// A `Match` line: all its criteria must hold.
    pub(super) fn match_line(&self, words: &[String]) -> State {
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
                (None, Ok(None)) => is(self.local_user),
                (None, Err(_)) => State::Perhaps(words.join(" ")),
            },
            "localuser" => is(self.local_user),
            // There is no tag without `ssh -P`, and what runs is never a subsystem or a shell.
            "tagged" => State::DoesNot,
            "sessiontype" => is("exec"),
            _ => State::Perhaps(words.join(" ")),
        }
    }
}

fn decided(holds: bool) -> State {
    if holds {
        State::Applies
    } else {
        State::DoesNot
    }
}

/// What holds only where both hold.
pub(super) fn both(around: &State, within: State) -> State {
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
