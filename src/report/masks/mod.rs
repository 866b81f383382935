//! Masks secrets: every string of every event goes through here before any reporter sees it.

mod strings;

use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use self::strings::for_each_string;
use super::text::strip_escapes;
use crate::event::Event;

/// What stands in a secret's place.
const MASK: &str = "***";

/// Shorter values are not masked: three characters are no secret, masking them would garble half of the
/// output, and the gaps would reveal them.
const SHORTEST: usize = 4;

/// The values that must not be shown. Cheap to clone; all clones share the values, so that a secret that
/// becomes known during a run is masked from then on.
#[derive(Clone, Default)]
pub struct Masks {
    values: Arc<RwLock<Vec<String>>>,
}

impl Masks {
    /// Masks for these secrets.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let masks = Self::default();
        for secret in secrets {
            masks.add(secret.as_ref());
        }
        masks
    }

    /// Adds a secret: its value, each of its lines (events are made of lines), and both as JSON and Rust
    /// write them, as error messages quote them that way. Pieces shorter than four characters are skipped.
    pub fn add(&self, secret: &str) {
        let lines = secret.lines().map(str::trim);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for piece in [secret, secret.trim()].into_iter().chain(lines) {
            let json = serde_json::Value::from(piece).to_string();
            let debug = format!("{piece:?}");
            for form in [piece, unquoted(&json), unquoted(&debug)] {
                if form.chars().count() >= SHORTEST && !values.iter().any(|value| value == form) {
                    values.push(form.to_owned());
                }
            }
        }
    }

    /// The text with `***` for every secret in it.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let masked = replace(&values, text);
        // A colour in the middle of a secret would hide it here and be removed for the terminal.
        let stripped = strip_escapes(&masked);
        if stripped != masked && !secret_parts(&values, &stripped).is_empty() {
            return Cow::Owned(replace(&values, &stripped).into_owned());
        }
        masked
    }

    /// Masks every string of an event.
    pub(super) fn mask_event(&self, event: &mut Event) {
        for_each_string(&mut event.kind, &mut |text| {
            if let Cow::Owned(masked) = self.mask(text) {
                *text = masked;
            }
        });
    }
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").finish_non_exhaustive()
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

fn replace<'a>(values: &[String], text: &'a str) -> Cow<'a, str> {
    let parts = secret_parts(values, text);
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        masked.push_str(&text[end..part.start]);
        masked.push_str(MASK);
        end = part.end;
    }
    masked.push_str(&text[end..]);
    Cow::Owned(masked)
}

/// The ranges of a text that secrets cover, in order and disjoint. All matches are found before any is
/// replaced: secrets may overlap, and one may contain another.
fn secret_parts(values: &[String], text: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<_> = values
        .iter()
        .flat_map(|value| {
            text.match_indices(value.as_str())
                .map(|(start, matched)| start..start + matched.len())
        })
        .collect();
    parts.sort_unstable_by_key(|part| part.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    for part in parts {
        match merged.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => merged.push(part),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let masks = Masks::new([
            "hunter2",
            "hunter2-long",
            "a\"quote",
            "line one\nline two\n}",
        ]);
        for (text, masked) in [
            ("nothing here", "nothing here"),
            ("password=hunter2;", "password=***;"),
            ("hunter2-long and hunter2", "*** and ***"),
            (r#"{"v":"a\"quote"}"#, r#"{"v":"***"}"#),
            ("  line two", "  ***"),
            ("}", "}"),
            ("hun\x1b[31mter2", "***"),
        ] {
            assert_eq!(masks.mask(text), masked, "{text:?}");
        }
    }

    #[test]
    fn overlapping_secrets_leave_no_half() {
        assert_eq!(
            Masks::new(["abcdef", "defghi"]).mask("<abcdefghi>"),
            "<***>"
        );
    }

    #[test]
    fn a_secret_may_come_later_and_short_ones_are_none() {
        let masks = Masks::default();
        let clone = masks.clone();
        masks.add("s3cret");
        masks.add("abc");
        assert_eq!(clone.mask("s3cret abc"), "*** abc");
        assert!(!format!("{masks:?}").contains("s3cret"));
    }
}
