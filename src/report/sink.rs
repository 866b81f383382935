//! Where lines go. Whatever happens to it, the run goes on.

use std::{fmt, io::Write};

/// A writer that nothing fails on: the first error (a closed pipe, a full disk, a terminal that is gone)
/// silences it, as a deploy must not stop because no one listens.
pub(super) struct Sink {
    writer: Option<Box<dyn Write + Send>>,
}

impl Sink {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            writer: Some(writer),
        }
    }

    /// Writes a line and flushes it.
    pub(super) fn line(&mut self, text: &str) {
        self.text(&format!("{text}\n"));
    }

    /// Writes a text and flushes it.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(writer) = &mut self.writer
            && writer
                .write_all(text.as_bytes())
                .and_then(|()| writer.flush())
                .is_err()
        {
            self.writer = None;
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.writer.is_some();
        f.debug_struct("Sink").field("open", &open).finish()
    }
}
