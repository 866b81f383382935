//! Lines, for where there is no terminal: continuous integration, pipes, files.

use std::io::Write;

use jiff::Timestamp;

use super::{
    lines::{Line, LineFormatter, LineOptions, Stream},
    reporter::Reporter,
    sink::Sink,
    text::clean,
};
use crate::event::{Event, EventKind};

/// Writes lines: results to one writer, everything else to the other.
#[derive(Debug)]
pub(super) struct Plain {
    formatter: LineFormatter,
    out: Sink,
    err: Sink,
}

impl Plain {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        options: LineOptions,
    ) -> Self {
        Self {
            formatter: LineFormatter::new(options),
            out: Sink::new(out),
            err: Sink::new(err),
        }
    }

    fn write(&mut self, lines: &[Line]) {
        for Line { stream, text } in lines {
            match stream {
                Stream::Out => self.out.line(text),
                Stream::Err => self.err.line(text),
            }
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        let lines = self.formatter.event(event);
        self.write(&lines);
        if let EventKind::Question { question } = &event.kind {
            self.err.text(&format!("{} ", clean(question)));
        }
    }

    fn tick(&mut self, now: Timestamp) {
        let lines = self.formatter.tick(now);
        self.write(&lines);
    }
}
