//! Files as they were read, and places in them.

use std::{borrow::Cow, ops::Range, sync::Arc};

use miette::{MietteError, MietteSpanContents, NamedSource, SourceCode, SourceSpan, SpanContents};

use crate::text::visible;

/// A file as it was read, under the name that is shown for it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceFile(Arc<Source>);

impl SourceFile {
    /// `name` is the path from the project's root; `text` the content.
    pub fn new(name: impl AsRef<str>, text: String) -> Self {
        let name = visible(name.as_ref()).into_owned();
        let shown = match visible(&text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(shown) => Some(shown),
        };
        let (shown, raw) = match shown {
            Some(shown) => (shown, Some(text)),
            None => (text, None),
        };
        Self(Arc::new(Source {
            shown: NamedSource::new(name, shown),
            raw,
        }))
    }

    /// The name that is shown.
    pub fn name(&self) -> &str {
        self.0.shown.name()
    }

    /// The content.
    pub fn text(&self) -> &str {
        let shown = self.0.shown.inner();
        self.0.raw.as_ref().unwrap_or(shown)
    }

    /// Where a byte of the content is in what is shown of it.
    pub(super) fn shown_at(&self, at: usize) -> usize {
        let Some(raw) = &self.0.raw else { return at };
        let (before, after) = raw.split_at(at);
        // Between the two characters of a line break.
        match before
            .strip_suffix('\r')
            .filter(|_| after.starts_with('\n'))
        {
            Some(before) => visible(before).len() + 1,
            None => visible(before).len(),
        }
    }

    /// What miette reads.
    pub(super) fn code(&self) -> &dyn SourceCode {
        &*self.0
    }

    /// The bytes `span` of this file, and what they are only a part of: a character is shown as a whole. Whatever lies
    /// outside of the file is cut off.
    pub fn place(&self, span: Range<usize>) -> Place {
        let text = self.text();
        let mut end = span.end.min(text.len());
        let mut start = span.start.min(end);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Place {
            file: self.clone(),
            span: start..end,
        }
    }
}

/// A file whose long lines are shown in part.
#[derive(Debug)]
struct Source {
    /// The text in which every character can be seen.
    shown: NamedSource<String>,
    /// The text as it is, where that differs.
    raw: Option<String>,
}

/// The longest excerpt that is shown whole.
const EXCERPT: usize = 2000;

/// How much of a longer one is shown before and after what is meant.
const AROUND: usize = 60;

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = self.shown.read_span(span, lines_before, lines_after)?;
        if whole.data().len() <= EXCERPT {
            return Ok(whole);
        }
        let text = self.shown.inner().as_str();
        let from = whole.span().offset();
        let until = from + whole.data().len();
        let mut start = span.offset().saturating_sub(AROUND).max(from);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (span.offset() + span.len() + AROUND).min(until);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let (Some(before), Some(shown)) = (text.get(from..start), text.get(start..end)) else {
            return Ok(whole);
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.shown.name().to_owned(),
            shown.as_bytes(),
            (start, end - start).into(),
            whole.line() + before.matches('\n').count(),
            whole.column(),
            whole.line_count(),
        )))
    }
}

/// Some bytes of a file.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub file: SourceFile,
    /// The byte range.
    pub span: Range<usize>,
}

impl Place {
    /// The text that stands there.
    pub fn text(&self) -> &str {
        self.file.text().get(self.span.clone()).unwrap_or_default()
    }

    pub(super) fn is_in(&self, file: &SourceFile) -> bool {
        Arc::ptr_eq(&self.file.0, &file.0)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

impl<T> std::ops::Deref for Located<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_whole_characters_and_ends_with_the_file() {
        let file = SourceFile::new("a.toml", "aé國".to_owned());
        for (span, text) in [
            (0..1, "a"),
            (2..3, "é"),
            (2..4, "é國"),
            (5..5, "國"),
            (6..99, ""),
            (99..99, ""),
        ] {
            assert_eq!(file.place(span.clone()).text(), text, "{span:?}");
        }
    }
}
