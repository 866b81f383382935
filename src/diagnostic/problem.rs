//! One mistake, with its places.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::source::Place;
use crate::text::{cut, visible};

/// One mistake, or one thing to know.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    severity: Severity,
    labels: Vec<(Place, String)>,
    hint: Option<String>,
    pub(super) elsewhere: Vec<Problem>,
}

impl Problem {
    /// A mistake: a fact, lowercase and without a full stop.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            message: short(&message.into()),
            severity: Severity::Error,
            labels: Vec::new(),
            hint: None,
            elsewhere: Vec::new(),
        }
    }

    /// Something to know that stops nothing.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// Underlines a place. The first is the main one; a place in another file is shown below it.
    #[must_use]
    pub fn at(mut self, place: &Place, label: impl Into<String>) -> Self {
        match self.labels.first() {
            Some((main, _)) if !place.is_in(&main.file) => self.elsewhere.push(Self {
                severity: Severity::Advice,
                ..Self::error(label).at(place, "")
            }),
            _ => {
                let label = visible(&label.into()).into_owned();
                self.labels.push((place.clone(), label));
            }
        }
        self
    }

    /// What to write or type instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(short(&hint.into()));
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Whether it stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The fact.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write or type instead.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The main place.
    pub fn place(&self) -> Option<&Place> {
        self.labels.first().map(|(place, _)| place)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let (place, _) = self.labels.first()?;
        Some(place.file.code())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let spans = self
            .labels
            .iter()
            .enumerate()
            .map(|(index, (place, label))| {
                let label = Some(label.clone()).filter(|label| !label.is_empty());
                let start = place.file.shown_at(place.span.start);
                let end = place.file.shown_at(place.span.start + underlined(place));
                let span = (start, end - start);
                if index == 0 {
                    LabeledSpan::new_primary_with_span(label, span)
                } else {
                    LabeledSpan::new_with_span(label, span)
                }
            });
        Some(Box::new(spans))
    }
}

/// The longest fact or hint that is shown: it may have the text of a file in it.
const LONGEST: usize = 600;

/// The longest text that is underlined.
const UNDERLINED: usize = 100;

/// A text as it is shown: of a bearable length, and without what acts on a terminal.
fn short(text: &str) -> String {
    cut(&visible(text), LONGEST)
}

/// How many bytes of a place are underlined.
fn underlined(place: &Place) -> usize {
    let mut bytes = place.span.len().min(UNDERLINED);
    while !place.file.text().is_char_boundary(place.span.start + bytes) {
        bytes -= 1;
    }
    bytes
}
