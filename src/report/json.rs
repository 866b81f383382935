//! One event a line, as serde writes it, and nothing else.

use std::{borrow::Cow, fmt::Write as _, io::Write};

use super::{reporter::Reporter, sink::Sink};
use crate::{event::Event, text::acts};

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

/// JSON lets all but the first 32 characters stand as they are. Those that act are escaped, too, as somebody may look
/// at it on a terminal. They stand in strings alone.
fn escape(json: &str) -> Cow<'_, str> {
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if acts(character) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        if let Ok(text) = serde_json::to_string(event) {
            self.sink.line(&escape(&text));
        }
    }
}
