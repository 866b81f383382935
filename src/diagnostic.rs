//! Mistakes in files, each with its place: a fact, the underlined text, a hint. Collected, so that all of
//! them are shown at once.

use std::{fmt, fmt::Write as _, ops::Range, sync::Arc};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};

/// A file as it was read, under the name that is shown for it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceFile(Arc<NamedSource<String>>);

impl SourceFile {
    /// `name` is the path from the project's root; `text` the content.
    pub fn new(name: impl AsRef<str>, text: String) -> Self {
        Self(Arc::new(NamedSource::new(name, text)))
    }

    /// The name that is shown.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The content.
    pub fn text(&self) -> &str {
        self.0.inner()
    }

    /// The bytes `span` of this file; whatever lies outside of it is cut off.
    pub fn place(&self, span: Range<usize>) -> Place {
        let end = span.end.min(self.text().len());
        Place {
            file: self.clone(),
            span: span.start.min(end)..end,
        }
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

    fn is_in(&self, file: &SourceFile) -> bool {
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

/// One mistake, or one thing to know.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    severity: Severity,
    labels: Vec<(Place, String)>,
    hint: Option<String>,
    elsewhere: Vec<Problem>,
}

impl Problem {
    /// A mistake: a fact, lowercase and without a full stop.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
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
            _ => self.labels.push((place.clone(), label.into())),
        }
        self
    }

    /// What to write or type instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
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

    /// Whether a reader would take both for the same.
    fn is_same_as(&self, other: &Self) -> bool {
        let key = |problem: &Self| {
            problem
                .place()
                .map(|place| (place.file.name().to_owned(), place.span.clone()))
        };
        self.message == other.message && key(self) == key(other)
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
        Some(&*place.file.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let spans = self
            .labels
            .iter()
            .enumerate()
            .map(|(index, (place, label))| {
                let label = Some(label.clone()).filter(|label| !label.is_empty());
                let span = (place.span.start, place.span.len());
                if index == 0 {
                    LabeledSpan::new_primary_with_span(label, span)
                } else {
                    LabeledSpan::new_with_span(label, span)
                }
            });
        Some(Box::new(spans))
    }
}

/// How [`Problems`] are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Boxes and colours, for a terminal.
    Colours,
    /// Boxes without colours (`NO_COLOR`).
    Boxes,
    /// ASCII only and narrow, for pipes and CI logs.
    Plain,
}

/// Every problem that was found, in the order of finding.
#[derive(Debug, Clone, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless the same is there already: a mistake in a recipe shows up for each of its hosts.
    pub fn push(&mut self, problem: Problem) {
        if !self.0.iter().any(|known| known.is_same_as(&problem)) {
            self.0.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Self) {
        for problem in others.0 {
            self.push(problem);
        }
    }

    /// The same, file by file and from the top of each to its end.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let mut files: Vec<SourceFile> = Vec::new();
        for place in self.0.iter().filter_map(Problem::place) {
            if !files.iter().any(|file| file.name() == place.file.name()) {
                files.push(place.file.clone());
            }
        }
        self.0.sort_by_key(|problem| {
            problem.place().map(|place| {
                let file = files
                    .iter()
                    .position(|file| file.name() == place.file.name());
                (file, place.span.start)
            })
        });
        self
    }

    /// Whether one of them stops the run.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Problem::is_error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// The text to show, `width` columns wide.
    pub fn render(&self, style: Style, width: usize) -> String {
        let mut text = String::new();
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&render(problem, style, width));
        }
        text
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain, 100))
    }
}

impl std::error::Error for Problems {}

/// miette draws it; the words around the snippets are those of every other error of shipit.
fn render(problem: &Problem, style: Style, width: usize) -> String {
    let mut theme = match style {
        Style::Colours => GraphicalTheme::unicode(),
        Style::Boxes => GraphicalTheme::unicode_nocolor(),
        Style::Plain => GraphicalTheme::none(),
    };
    theme.characters.error = "error:".into();
    theme.characters.warning = "warning:".into();
    theme.characters.advice = "note:".into();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false);
    let mut text = String::new();
    let mut parts = std::iter::once(problem)
        .chain(&problem.elsewhere)
        .peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let handler = match problem.hint.as_ref().filter(|_| is_last) {
            Some(hint) => handler.clone().with_footer(format!("hint: {hint}")),
            None => handler.clone(),
        };
        // Writing to a String does not fail; should miette itself fail, the fact is still worth showing.
        if handler.render_report(&mut text, part).is_err() {
            let _ = writeln!(text, "  error: {part}");
        }
    }
    text
}
