//! A line, the stream it belongs to, and the level from which it is shown.

use crate::report::text::{Paint, Painter, clean, columns, pad, wrapped};

/// The widest column of host names; longer ones push their line to the right.
const WIDEST_PREFIX: usize = 30;

/// Where a line belongs: results on standard output, all else on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// A line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) stream: Stream,
    pub(crate) text: String,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Quiet,
    Normal,
    Verbose,
    /// What only the log file has.
    Everything,
}

/// How lines are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineOptions {
    pub(crate) level: Level,
    /// Whether bars show what goes on, so that lines need not.
    pub(crate) with_bars: bool,
    pub(crate) out: Painter,
    pub(crate) err: Painter,
    /// The columns of the terminal that standard output is; none where it is something else.
    pub(crate) width: Option<usize>,
    /// Its rows.
    pub(crate) height: Option<usize>,
}

/// Collects the lines that the level shows.
pub(super) struct Lines {
    options: LineOptions,
    /// The columns of the hosts' names.
    prefix_width: usize,
    shown: Vec<Line>,
}

impl Lines {
    /// None yet. `name_width` is the width of the widest name of a host, in columns.
    pub(super) fn new(options: LineOptions, name_width: usize) -> Self {
        Self {
            options,
            prefix_width: name_width.min(WIDEST_PREFIX),
            shown: Vec::new(),
        }
    }

    /// Adds a line from `level` on.
    pub(super) fn push(&mut self, level: Level, stream: Stream, text: impl Into<String>) {
        if self.options.level >= level {
            let text = text.into();
            self.shown.push(Line { stream, text });
        }
    }

    /// Adds prose from `level` on: broken between words where it is wider than the terminal, and indented by `below`
    /// columns from its second line on.
    pub(super) fn push_prose(
        &mut self,
        level: Level,
        stream: Stream,
        text: impl Into<String>,
        below: usize,
    ) {
        for line in wrapped(text.into(), below, self.options.width) {
            self.push(level, stream, line);
        }
    }

    /// Adds what a host does or has done, as `push_prose`. `mark` is before it, one column wide.
    pub(super) fn push_of_host(&mut self, level: Level, host: &str, mark: &str, text: &str) {
        let prefix = self.prefix(host, self.options.err);
        let below = columns(&prefix) + 2;
        self.push_prose(level, Stream::Err, format!("{prefix}{mark} {text}"), below);
    }

    /// Adds a line on standard error from `level` on, unless bars show the same.
    pub(super) fn push_progress(&mut self, level: Level, text: impl Into<String>) {
        if self.shows_progress(level) {
            self.push(level, Stream::Err, text);
        }
    }

    /// Whether [`Lines::push_progress`] at this level adds a line.
    pub(super) fn shows_progress(&self, level: Level) -> bool {
        !self.options.with_bars && self.options.level >= level
    }

    /// The host's name in a column as wide as the inventory's names.
    pub(super) fn prefix(&self, host: &str, painter: Painter) -> String {
        self.prefix_in(host, Paint::Strong, painter)
    }

    /// The same in another colour.
    pub(super) fn prefix_in(&self, host: &str, paint: Paint, painter: Painter) -> String {
        let name = painter.paint(paint, clean(host));
        pad(&name, self.prefix_width) + "  "
    }

    /// The colours of standard error.
    pub(super) fn err(&self) -> Painter {
        self.options.err
    }

    pub(super) fn into_vec(self) -> Vec<Line> {
        self.shown
    }
}
