//! Checks the sealed values with the files of a project. It needs no key, and opens nothing.

use std::{io, path::Path};

use super::{
    Failure,
    envelope::Envelope,
    recipients::{RECIPIENTS, Recipient, Recipients},
    store::{file_of, names, read, read_recipients},
    users::Users,
};
use crate::{
    diagnostic::{Problem, Problems},
    model::Name,
    text,
};

/// Checks the values that are used; with `all`, each that there is, and the list of recipients in any case.
pub fn check(root: &Path, users: &Users, all: bool) -> Problems {
    let mut problems = Problems::new();
    let mut checked: Vec<_> = users.keys().cloned().collect();
    if all {
        match names(root) {
            Ok(names) => checked.extend(names),
            Err(error) => problems.push(cannot_read_folder(&error)),
        }
        checked.sort();
        checked.dedup();
    }
    if !all && checked.is_empty() {
        return problems;
    }
    let (recipients, mistakes) = match read_recipients(root) {
        Ok(Some(recipients)) => (Some(recipients), Problems::new()),
        Ok(None) => (None, no_recipients().into()),
        Err(mistakes) => (None, mistakes),
    };
    let is_written = recipients.is_some() || root.join(RECIPIENTS).exists();
    if is_written || !checked.is_empty() {
        problems.extend(mistakes);
    }
    for name in &checked {
        match read(root, name) {
            Ok(envelope) => {
                if let Some(fault) = whom_it_is_for(name, &envelope, recipients.as_ref()) {
                    problems.push(fault);
                }
            }
            Err(Failure { cause, hint }) => {
                let users = users.get(name).into_iter().flatten();
                let users: Vec<_> = users.map(String::as_str).collect();
                let used_by = match &users[..] {
                    [] => String::new(),
                    [user] => format!("; {user} needs it"),
                    users => format!("; {} need it", users.join(", ")),
                };
                problems.push(Problem::error(format!("{cause}{used_by}")).hint(hint));
            }
        }
    }
    problems
}

/// Nobody can be told to have a value.
pub fn no_recipients() -> Problem {
    Problem::error(format!("`{RECIPIENTS}` is not there"))
        .hint("`shipit secret set NAME` makes one with your own key")
}

/// The folder of the sealed values is there, and cannot be read.
pub fn cannot_read_folder(error: &io::Error) -> Problem {
    Problem::error(format!("cannot read `secrets`: {error}"))
}

/// What is wrong with whom a value is sealed for.
fn whom_it_is_for(
    name: &Name,
    envelope: &Envelope,
    recipients: Option<&Recipients>,
) -> Option<Problem> {
    let file = file_of(name);
    if envelope.holders().is_empty() {
        return Some(
            Problem::error(format!("`{file}` is sealed for nobody"))
                .hint(format!("seal the value again: `shipit secret set {name}`")),
        );
    }
    let recipients = recipients?;
    let age_keys = recipients.iter().filter(|it| it.tag.is_none()).count();
    let missing = |it: &&Recipient| !envelope.is_for(it, age_keys);
    let missing: Vec<_> = recipients.iter().filter(missing).collect();
    if missing.is_empty() {
        return None;
    }
    let names = text::list(missing.iter().map(|it| &it.name));
    Some(
        Problem::warning(format!("`{file}` is not sealed for {names}"))
            .hint("`shipit secret rotate` seals every value for all recipients"),
    )
}
