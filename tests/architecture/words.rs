//! Words that no file of the repository has.

use std::collections::BTreeMap;

use crate::{
    known,
    repository::REPOSITORY,
    rule::{Violation, hold, shown},
};

/// The lines with this word, which is not a part of a longer one.
pub fn named(word: &str, texts: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in texts {
        for (at, line) in text.lines().enumerate() {
            let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let whole = line.match_indices(word).any(|(start, _)| {
                let before = line[..start].chars().next_back();
                let after = line[start + word.len()..].chars().next();
                !is_part(before) && !is_part(after)
            });
            if whole {
                found.push(Violation {
                    place: path.clone(),
                    evidence: format!("    {path}:{}: {}", at + 1, line.trim()),
                });
            }
        }
    }
    found
}

/// The lint on long functions, in two parts: this file is searched, too.
const LINT: &str = concat!("too_many", "_lines");
/// A document that readers of the repository do not have.
const DOCUMENT: &str = concat!("DES", "IGN");

fn one_file(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("lab/up".to_owned(), text.to_owned())])
}

#[test]
fn nothing_silences_the_lint_on_long_functions() {
    let silenced = one_file(&format!(
        "one\n#[expect(clippy::{LINT}, reason = \"a list\")]"
    ));
    assert_eq!(
        shown(&named(LINT, &silenced)),
        format!("    lab/up:2: #[expect(clippy::{LINT}, reason = \"a list\")]")
    );

    hold(
        "nothing silences the lint on long functions",
        known::SILENCED_LINTS,
        &named(LINT, &REPOSITORY),
    );
}

#[test]
fn the_repository_explains_itself() {
    let document = one_file(&format!(
        "# As {DOCUMENT} section 3 says.\nRE{DOCUMENT} {DOCUMENT}S design"
    ));
    assert_eq!(
        shown(&named(DOCUMENT, &document)),
        format!("    lab/up:1: # As {DOCUMENT} section 3 says.")
    );

    hold(
        "the repository explains itself",
        known::FOREIGN_DOCUMENTS,
        &named(DOCUMENT, &REPOSITORY),
    );
}
