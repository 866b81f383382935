//! One event a line, as serde writes it, and nothing else.

use std::io::Write;

use super::{reporter::Reporter, sink::Sink};
use crate::event::Event;

/// Writes each event as a line of JSON.
#[derive(Debug)]
pub(super) struct Json {
    sink: Sink,
}

impl Json {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            sink: Sink::new(writer),
        }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        if let Ok(text) = serde_json::to_string(event) {
            self.sink.line(&text);
        }
    }
}
