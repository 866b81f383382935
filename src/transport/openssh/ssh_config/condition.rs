//! `Host` and `Match`: whether a section applies.

use super::{criteria::Criterion, keyword::Keyword, patterns::list_matches, values::HostConfig};

/// Who is looked up.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) struct Lookup<'a> {
    /// The name as given, before any `HostName`.
    pub(in crate::transport) host: &'a str,
    /// The user, where the inventory or a jump host's text names one.
    pub(in crate::transport) user: Option<&'a str>,
}

/// Which reading of the files it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    First,
    /// `Match final` asked for a second one, in which the host goes by the name that the first one gave it.
    Final {
        host: String,
    },
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
    pub(super) reading: &'a Reading,
    pub(super) local_user: &'a str,
    /// What the files have said so far.
    pub(super) config: &'a HostConfig,
}

impl Conditions<'_> {
    /// A `Host` line: one of its patterns must match, and none of the negated ones.
    pub(super) fn host_line(&self, patterns: &[String]) -> State {
        let host = match self.reading {
            Reading::First => self.lookup.host,
            Reading::Final { host } => host,
        };
        decided(list_matches(patterns.iter().map(String::as_str), host))
    }

    /// A `Match` line: all its criteria must hold.
    pub(super) fn match_line(&self, criteria: &[Criterion], line: &str) -> State {
        criteria.iter().fold(State::Applies, |state, criterion| {
            let holds = match self.criterion(criterion) {
                Some(holds) => decided(holds != criterion.negated),
                None => State::Perhaps(line.to_owned()),
            };
            both(&state, holds)
        })
    }

    /// Whether a criterion holds; `None` when we cannot tell.
    fn criterion(&self, criterion: &Criterion) -> Option<bool> {
        let argument = &criterion.argument;
        let is = |text: &str| list_matches(argument.split(','), text);
        // Names of hosts are compared in lowercase here, but not in a `Host` line.
        let is_host = |name: &str| {
            let patterns = argument.to_ascii_lowercase();
            list_matches(patterns.split(','), &name.to_ascii_lowercase())
        };
        let holds = match criterion.name.as_str() {
            "all" => true,
            "final" | "canonical" => *self.reading != Reading::First,
            "originalhost" => is_host(self.lookup.host),
            "host" => match self.reading {
                Reading::First => is_host(&self.config.host_name(self.lookup.host).ok()?),
                Reading::Final { host } => is_host(host),
            },
            "user" => match self.lookup.user {
                Some(user) => is(user),
                None => match self.config.get(Keyword::User).ok()? {
                    Some(user) => is(user.first()),
                    None => is(self.local_user),
                },
            },
            "localuser" => is(self.local_user),
            "tagged" => match self.config.get(Keyword::Tag).ok()? {
                Some(tag) => is(tag.first()),
                // Without a tag only the empty argument holds, not `*`.
                None => argument.is_empty(),
            },
            // What runs is never a subsystem or a shell.
            "sessiontype" => is("exec"),
            _ => return None,
        };
        Some(holds)
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
