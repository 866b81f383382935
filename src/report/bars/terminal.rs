//! A terminal for indicatif that may disappear at any time.

use std::{io, sync::Arc};

use indicatif::{ProgressDrawTarget, TermLike};

/// A terminal whose errors are ignored: a closed one must not stop a deploy, and indicatif panics in places
/// when it cannot write.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    inner: Arc<dyn TermLike>,
}

impl Terminal {
    pub(super) fn new(inner: Arc<dyn TermLike>) -> Self {
        Self { inner }
    }

    /// A target of the same size that shows nothing, for drawing an incomplete frame. indicatif may skip
    /// most of that drawing.
    pub(super) fn hidden_target(&self) -> ProgressDrawTarget {
        let (columns, rows) = (self.width(), self.height());
        ProgressDrawTarget::term_like_with_hz(Box::new(HiddenTerminal { columns, rows }), 1)
    }

    pub(super) fn columns(&self) -> usize {
        usize::from(self.width())
    }

    pub(super) fn rows(&self) -> usize {
        usize::from(self.height())
    }

    /// Clears the row of the cursor and those above it, `rows` in all, and everything below.
    pub(super) fn clear_upwards(&self, rows: usize) {
        if rows > 0 {
            let _ = self.inner.move_cursor_up(rows - 1);
            let _ = self.inner.write_str("\r\x1b[J");
        }
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
        let _ = self.inner.flush();
        Ok(())
    }
}

/// A terminal that nobody sees.
#[derive(Debug)]
struct HiddenTerminal {
    columns: u16,
    rows: u16,
}

impl TermLike for HiddenTerminal {
    fn width(&self) -> u16 {
        self.columns
    }

    fn height(&self) -> u16 {
        self.rows
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn write_str(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
