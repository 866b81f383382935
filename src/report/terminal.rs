//! A terminal for indicatif that may go away at any time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::TermLike;

/// A terminal whose errors are nobody's concern. indicatif's `suspend` panics when the terminal cannot be
/// written to, and a terminal that was closed must not stop a deploy.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    inner: Arc<dyn TermLike>,
    /// Whether what is drawn is held back until it is complete.
    holds: Arc<AtomicBool>,
}

impl Terminal {
    pub(super) fn new(inner: Arc<dyn TermLike>) -> Self {
        Self {
            inner,
            holds: Arc::default(),
        }
    }

    /// Draws as one: indicatif draws all bars anew for each one that changes, and would show each time.
    pub(super) fn at_once(&self, draw: impl FnOnce()) {
        self.holds.store(true, Ordering::Relaxed);
        draw();
        self.holds.store(false, Ordering::Relaxed);
        let _ = self.inner.flush();
    }

    pub(super) fn columns(&self) -> usize {
        usize::from(self.width())
    }

    pub(super) fn rows(&self) -> usize {
        usize::from(self.height())
    }

    /// Clears the row of the cursor and those above it, `rows` in all, and all below.
    pub(super) fn clear_upwards(&self, rows: usize) {
        let _ = self.inner.move_cursor_up(rows.saturating_sub(1));
        let _ = self.inner.write_str("\r\x1b[J");
        let _ = self.inner.flush();
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.inner.width().max(1)
    }

    fn height(&self) -> u16 {
        self.inner.height().max(1)
    }

    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        let _ = self.inner.move_cursor_up(rows);
        Ok(())
    }

    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        let _ = self.inner.move_cursor_down(rows);
        Ok(())
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        let _ = self.inner.move_cursor_right(columns);
        Ok(())
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        let _ = self.inner.move_cursor_left(columns);
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let _ = self.inner.write_line(text);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let _ = self.inner.write_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let _ = self.inner.clear_line();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        if self.holds.load(Ordering::Relaxed) {
            return Ok(());
        }
        let _ = self.inner.flush();
        Ok(())
    }
}
