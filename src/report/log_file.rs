//! The log of a release: everything, always, with its time.

use std::io::Write;

use jiff::Timestamp;

use super::{
    lines::{Level, Line, LineFormatter, LineOptions},
    reporter::Reporter,
    sink::Sink,
    text::Painter,
};
use crate::event::Event;

/// Writes every event as lines that begin with the time in UTC.
#[derive(Debug)]
pub(super) struct LogFile {
    formatter: LineFormatter,
    sink: Sink,
}

impl LogFile {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            formatter: LineFormatter::new(LineOptions {
                level: Level::Everything,
                with_bars: false,
                out: Painter::default(),
                err: Painter::default(),
                width: None,
                height: None,
            }),
            sink: Sink::new(writer),
        }
    }

    fn write(&mut self, at: Timestamp, lines: &[Line]) {
        for Line { stream: _, text } in lines {
            let line = format!("{at:.3}  {text}");
            self.sink.line(line.trim_end());
        }
    }
}

impl Reporter for LogFile {
    fn event(&mut self, event: &Event) {
        let lines = self.formatter.event(event);
        self.write(event.at, &lines);
    }

    fn tick(&mut self, now: Timestamp) {
        let lines = self.formatter.tick(now);
        self.write(now, &lines);
    }
}
