//! Where what a command prints goes.

use std::pin::Pin;

use super::lines::Lines;
use crate::event::OutputStream;

/// Takes what a command prints.
pub(in crate::transport) trait Sink: Send {
    /// Takes a piece.
    fn take(&mut self, stream: OutputStream, bytes: &[u8]);

    /// Whether more was printed than is read, so that the command is to be ended.
    fn is_full(&self) -> bool {
        false
    }

    /// Waits until there is room for another piece. Until then nothing more is taken from the host.
    fn room(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// A sink that always has room.
pub(in crate::transport) struct Pieces<F>(F);

impl<F: FnMut(OutputStream, &[u8]) + Send> Pieces<F> {
    pub(in crate::transport) fn new(take: F) -> Self {
        Self(take)
    }
}

impl<F: FnMut(OutputStream, &[u8]) + Send> Sink for Pieces<F> {
    fn take(&mut self, stream: OutputStream, bytes: &[u8]) {
        (self.0)(stream, bytes);
    }
}

/// A sink that cuts each stream into lines, and waits for each to be taken.
pub(in crate::transport) struct EachLine<F> {
    stdout: Lines,
    stderr: Lines,
    /// Lines of the last piece.
    waiting: Vec<(OutputStream, String)>,
    on_line: F,
}

impl<F, Taken> EachLine<F>
where
    F: FnMut(OutputStream, String) -> Taken + Send,
    Taken: Future<Output = ()> + Send,
{
    pub(in crate::transport) fn new(on_line: F) -> Self {
        Self {
            stdout: Lines::default(),
            stderr: Lines::default(),
            waiting: Vec::new(),
            on_line,
        }
    }

    /// Hands over what has no newline at its end.
    pub(in crate::transport) async fn end(mut self) {
        let Self {
            stdout,
            stderr,
            waiting,
            on_line: _,
        } = &mut self;
        stdout.end(&mut |line| waiting.push((OutputStream::Stdout, line.to_owned())));
        stderr.end(&mut |line| waiting.push((OutputStream::Stderr, line.to_owned())));
        self.room().await;
    }
}

impl<F, Taken> Sink for EachLine<F>
where
    F: FnMut(OutputStream, String) -> Taken + Send,
    Taken: Future<Output = ()> + Send,
{
    fn take(&mut self, stream: OutputStream, bytes: &[u8]) {
        let lines = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let waiting = &mut self.waiting;
        lines.add(bytes, &mut |line| waiting.push((stream, line.to_owned())));
    }

    fn room(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            for (stream, line) in self.waiting.drain(..) {
                (self.on_line)(stream, line).await;
            }
        })
    }
}
