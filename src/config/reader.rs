//! What is being read, and what was wrong with it: every mistake collected with its place.

use std::ops::Range;

use toml::{Spanned, de::DeValue};

use super::suggest::did_you_mean_or_all;
use crate::diagnostic::{Place, Problem, Problems, SourceFile};

/// What is being read, and what was wrong with it so far.
#[derive(Debug)]
pub struct Reader {
    /// The file.
    pub file: SourceFile,
    /// What was wrong so far.
    pub problems: Problems,
}

impl Reader {
    /// The place of some bytes of the file.
    pub fn place(&self, span: Range<usize>) -> Place {
        self.file.place(span)
    }

    /// Says that a value is of the wrong type.
    pub fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, expected: &str) {
        let place = self.place(value.span());
        let is_plain = !matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_));
        let hint = match expected {
            "a list" if is_plain => Some(match value.get_ref() {
                DeValue::String(text) => as_words(text, place.text()),
                _ => format!("write `[{}]`", place.text()),
            }),
            "a string" if is_plain => Some(format!("write `\"{}\"`", place.text())),
            "a list" => as_commands(value.get_ref(), place.text()),
            "a table" => as_entries(value.get_ref()),
            _ => None,
        };
        self.wrong_type_hinted(value, expected, hint);
    }

    /// The same, with a hint.
    pub fn wrong_type_hinted(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
        hint: Option<String>,
    ) {
        let found = with_article(value.get_ref());
        let place = self.place(value.span());
        self.problems.push(
            Problem::error(format!("expected {expected}, found {found}"))
                .at(&place, format!("expected {expected}"))
                .maybe_hint(hint),
        );
    }

    /// Says that a key is not one of the known ones.
    pub fn unknown_key(&mut self, key: &str, span: Range<usize>, section: &str, known: &[&str]) {
        let place = self.place(span);
        let hint = did_you_mean_or_all(key, "keys here", known.to_vec());
        self.problems.push(
            Problem::error(format!("unknown key `{key}` in {section}"))
                .at(&place, "not a key here")
                .hint(hint),
        );
    }
}

/// One command as a list of them: `[[before]]` for `[before]`.
fn as_commands(value: &DeValue<'_>, raw: &str) -> Option<String> {
    let table = value.as_table()?;
    let is_command = table.contains_key("run") || table.contains_key("upload");
    let is_shown = raw.starts_with(['[', '{']);
    (is_command && is_shown).then(|| format!("write `[{raw}]`: there may be several"))
}

/// docker compose's list of `NAME=VALUE` as a table.
fn as_entries(value: &DeValue<'_>) -> Option<String> {
    let entry = |item: &Spanned<DeValue<'_>>| {
        let (name, value) = item.get_ref().as_str()?.split_once('=')?;
        let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        Some(if !name.is_empty() && name.chars().all(is_bare) {
            format!("{name} = {value:?}")
        } else {
            format!("{name:?} = {value:?}")
        })
    };
    let entries: Option<Vec<_>> = value.as_array()?.iter().map(entry).collect();
    let entries = entries.filter(|entries| !entries.is_empty())?;
    Some(format!("write `{{ {} }}`", entries.join(", ")))
}

/// A text as the list of its words. Quotes and templates have spaces of their own.
fn as_words(text: &str, raw: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    if words.len() < 2 {
        format!("write `[{raw}]`")
    } else if text.contains(['"', '\'', '\\', '{']) {
        format!(
            "write each word as a string of its own: `[{:?}, …]`",
            words[0]
        )
    } else {
        format!("write `{words:?}`")
    }
}

fn with_article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
