//! What a record says of its release for people: nothing is started or decided by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text;

/// The longest message of a release, in characters.
pub const LONGEST_MESSAGE: usize = 200;

/// How many characters are kept of why a release failed.
const LONGEST_FAILURE: usize = 500;

/// How many characters are kept of a recipe's name and of its state.
const LONGEST_STATE: usize = 120;

/// What a record says of its release for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// What it is for, in the words of whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the record's host had of each changed recipe when it ended: `serving`, `untouched`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, String>,
}

impl Notes {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with every text as one line that is no longer than it may be.
    #[must_use]
    pub fn in_one_line(self) -> Self {
        let Self {
            message,
            failure,
            states,
        } = self;
        let state = |text: String| text::one_line(&text, LONGEST_STATE);
        Self {
            message: message.map(|message| text::one_line(&message, LONGEST_MESSAGE)),
            failure: failure.map(|failure| text::one_line(&failure, LONGEST_FAILURE)),
            states: states
                .into_iter()
                .map(|(recipe, of_recipe)| (state(recipe), state(of_recipe)))
                .collect(),
        }
    }
}

/// A text that becomes part of a record, from any number of lines: one line, without what acts on a terminal, and not
/// longer than a message may be. `None` when nothing is left.
pub fn message(text: &str) -> Option<String> {
    shortened(text, LONGEST_MESSAGE)
}

/// Why a release failed, of the error's lines.
pub fn failure<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lines: Vec<_> = lines.into_iter().collect();
    shortened(&lines.join(": "), LONGEST_FAILURE)
}

fn shortened(text: &str, longest: usize) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain: String = words.chars().filter(|it| !text::acts(*it)).collect();
    // The mark of a cut counts, too.
    let most = longest.saturating_sub(1);
    Some(text::cut(plain.trim(), most)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_without_what_acts() {
        for (text, kept) in [
            ("  fix the cart \n\n(again)\t", Some("fix the cart (again)")),
            (
                "red \u{1b}[31mand\u{202e} turned",
                Some("red [31mand turned"),
            ),
            (" \n\u{7}", None),
        ] {
            assert_eq!(message(text).as_deref(), kept, "{text:?}");
        }
        let long = message(&"ü".repeat(500)).expect("a text");
        assert_eq!(long.chars().count(), LONGEST_MESSAGE);
        assert!(long.ends_with('…'), "{long}");
    }

    #[test]
    fn what_a_host_made_up_is_one_line() {
        let forged = Notes {
            message: Some("a\nr9  succeeded".into()),
            failure: Some("x".repeat(5000)),
            states: BTreeMap::from([("web\n".into(), "serving\u{1b}[2J".into())]),
        };
        let read = forged.in_one_line();
        assert_eq!(read.message.as_deref(), Some("a\u{fffd}r9  succeeded"));
        assert_eq!(read.failure.map(|it| it.len()), Some(LONGEST_FAILURE));
        let states = BTreeMap::from([("web\u{fffd}".to_owned(), "serving\u{fffd}[2J".to_owned())]);
        assert_eq!(read.states, states);
    }

    #[test]
    fn a_failure_has_its_causes() {
        let lines = ["deploy of `web` stopped", "status 500"];
        let kept = failure(lines);
        assert_eq!(kept.as_deref(), Some("deploy of `web` stopped: status 500"));
    }
}
