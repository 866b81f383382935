//! Finds secrets in a text in one pass, however many forms there are.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    form::{HALF_AN_ESCAPE, end_of, end_of_tail, escaped_start},
    forms::{forms, short_lines},
};
use crate::text::CUT;

/// All secrets.
#[derive(Default)]
pub struct Finder {
    forms: Vec<String>,
    /// Which forms begin with a character.
    by_start: HashMap<char, Vec<usize>>,
    /// With which two bytes a form begins. Most places of a text are no secret's, and are passed over by this.
    starts: Vec<bool>,
    short_lines: HashSet<String>,
}

impl Finder {
    /// Adds a secret.
    pub fn add(&mut self, secret: &str) {
        let known: HashSet<&str> = self.forms.iter().map(String::as_str).collect();
        let new: Vec<_> = forms(secret)
            .into_iter()
            .filter(|form| !known.contains(form.as_str()))
            .collect();
        for form in new {
            let (Some(start), [first, second, ..]) = (form.chars().next(), form.as_bytes()) else {
                continue;
            };
            self.starts.resize(1 << 16, false);
            self.starts[pair(*first, *second)] = true;
            if *second == b' ' {
                self.starts[pair(*first, b'+')] = true;
            }
            self.by_start
                .entry(start)
                .or_default()
                .push(self.forms.len());
            self.forms.push(form);
        }
        self.short_lines
            .extend(short_lines(secret).map(str::to_owned));
    }

    /// Whether a line of output is a short line of a secret.
    pub fn has_short_line(&self, line: &str) -> bool {
        self.short_lines.contains(line)
    }

    /// The ranges of a text that secrets cover, in order and disjoint. All matches are found before any is
    /// replaced: secrets may overlap, and one may contain another.
    pub fn parts(&self, text: &str) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        if self.forms.is_empty() {
            return parts;
        }
        let bytes = text.as_bytes();
        for (start, two) in bytes.windows(2).enumerate() {
            let is_escaped = may_escape(two[0]) || may_escape(two[1]);
            if !is_escaped && !self.starts[pair(two[0], two[1])] {
                continue;
            }
            if let Some(end) = text.get(start..).and_then(|rest| self.longest(rest)) {
                add(&mut parts, start..start + end);
            }
        }
        self.add_tail(text, &mut parts);
        parts
    }

    /// The end of the longest form that a text begins with.
    fn longest(&self, text: &str) -> Option<usize> {
        let starts = text.chars().next().into_iter().chain(escaped_start(text));
        let forms = starts
            .filter_map(|start| self.by_start.get(&start))
            .flatten();
        forms
            .filter_map(|form| end_of(&self.forms[*form], text))
            .max()
    }

    /// A text that was cut at its front may begin in the middle of a secret, or of an escape in it.
    fn add_tail(&self, text: &str, parts: &mut Vec<Range<usize>>) {
        let Some(rest) = text.strip_prefix(CUT) else {
            return;
        };
        let start = CUT.len_utf8();
        let places = rest.char_indices().map(|(place, _)| place);
        let ends = places.take(HALF_AN_ESCAPE).filter_map(|place| {
            let tails = self
                .forms
                .iter()
                .filter_map(|form| end_of_tail(form, &rest[place..]));
            Some(start + place + tails.max()?)
        });
        let Some(end) = ends.max() else { return };
        parts.retain(|part| part.end > end);
        match parts.first_mut() {
            Some(part) if part.start <= end => part.start = start,
            _ => parts.insert(0, start..end),
        }
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Whether an escape may begin here.
fn may_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\')
}

/// Adds a part that begins no earlier than those before it.
fn add(parts: &mut Vec<Range<usize>>, part: Range<usize>) {
    match parts.last_mut() {
        Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
        _ => parts.push(part),
    }
}
