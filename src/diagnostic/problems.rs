//! All mistakes together.

use std::{collections::HashSet, fmt, fmt::Write as _, ops::Range};

use super::{
    problem::Problem,
    render::{Style, render},
    source::SourceFile,
};

/// Every problem that was found, in the order of finding.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// What a reader would take for the same as one of them.
    known: HashSet<Key>,
}

/// A fact and its place: the file's name and the bytes there.
type Key = (String, Option<(String, Range<usize>)>);

/// The most that are shown of them. Whoever mends these sees the others next.
const SHOWN: usize = 100;

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless the same is there already: a mistake in a recipe shows up for each of its hosts.
    pub fn push(&mut self, problem: Problem) {
        if self.known.insert(key(&problem)) {
            self.found.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Self) {
        for problem in others.found {
            self.push(problem);
        }
    }

    /// The same, file by file and from the top of each to its end.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let mut files: Vec<SourceFile> = Vec::new();
        for place in self.found.iter().filter_map(Problem::place) {
            if !files.iter().any(|file| file.name() == place.file.name()) {
                files.push(place.file.clone());
            }
        }
        self.found.sort_by_key(|problem| {
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
        self.found.iter().any(Problem::is_error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.found.iter()
    }

    /// The text to show, `width` columns wide.
    pub fn render(&self, style: Style, width: usize) -> String {
        let (errors, others): (Vec<_>, Vec<_>) = self.iter().partition(|found| found.is_error());
        let more_errors = errors.len().saturating_sub(SHOWN);
        let more_others = self.found.len().saturating_sub(SHOWN) - more_errors;
        let mut shown: Vec<_> = self.iter().collect();
        if shown.len() > SHOWN {
            // A mistake is never left out for a warning.
            shown = errors.into_iter().chain(others).take(SHOWN).collect();
        }
        let mut text = String::new();
        for (index, problem) in shown.into_iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&render(problem, style, width));
        }
        for (count, what) in [(more_errors, "error"), (more_others, "warning")] {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                let _ = writeln!(text, "\n  {count} more {what}{plural}");
            }
        }
        text
    }
}

fn key(problem: &Problem) -> Key {
    let place = problem.place();
    (
        problem.message().to_owned(),
        place.map(|place| (place.file.name().to_owned(), place.span.clone())),
    )
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
        let mut problems = Self::new();
        problems.push(problem);
        problems
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain, 100))
    }
}

impl std::error::Error for Problems {}
