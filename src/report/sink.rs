//! Where lines are written. Whatever happens to it, the run continues.

use std::{
    fmt,
    io::{self, Write},
};

/// A writer that never fails: the first error (a closed pipe, a full disk, a lost terminal) silences it, as
/// a deploy must not stop because nobody listens.
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

/// Standard output that reports its first error: a command that only shows something, such as
/// `shipit logs -f | head`, has nobody left to show it to.
pub(super) struct Stdout {
    pub(super) on_error: Option<Box<dyn FnOnce(io::Error) + Send>>,
}

impl Stdout {
    fn notice_error<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            // `write_all` goes on after this one.
            if kind != io::ErrorKind::Interrupted
                && let Some(on_error) = self.on_error.take()
            {
                on_error(error);
            }
            kind.into()
        })
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = io::stdout().write(bytes);
        self.notice_error(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = io::stdout().flush();
        self.notice_error(result)
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.writer.is_some();
        f.debug_struct("Sink").field("open", &open).finish()
    }
}
