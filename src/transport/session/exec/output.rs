//! What a command printed.

use super::sink::Sink;
use crate::{event::OutputStream, text::Tail};

/// The most that is read of a command's standard output, in bytes. What shipit asks for has a few kilobytes.
pub const MOST: usize = 16 * 1024 * 1024;

/// The most that is kept of its standard error: all that is looked at there is why it failed.
const MOST_ERRORS: usize = 64 * 1024;

/// What a command left: its exit status and all it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status.
    pub status: u32,
    /// Standard output; what is no UTF-8 in it is replaced.
    pub stdout: String,
    /// The end of standard error; what is no UTF-8 in it is replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the status is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

/// What a command prints, as it comes.
pub(in crate::transport) struct Collected {
    stdout: Vec<u8>,
    stderr: Tail,
    is_full: bool,
}

impl Collected {
    pub(in crate::transport) fn new() -> Self {
        Self {
            stdout: Vec::new(),
            stderr: Tail::new(MOST_ERRORS),
            is_full: false,
        }
    }

    pub(in crate::transport) fn into_output(self, status: u32) -> Output {
        Output {
            status,
            stdout: text(self.stdout),
            stderr: self.stderr.into_text(),
        }
    }
}

impl Sink for Collected {
    fn take(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout if self.stdout.len() + bytes.len() > MOST => self.is_full = true,
            OutputStream::Stdout => self.stdout.extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.add(bytes),
        }
    }

    fn is_full(&self) -> bool {
        self.is_full
    }
}

/// Of what is longer, bytes that are no UTF-8 become `?`, one for one: what stands for them otherwise takes three times
/// their room.
const MOST_REPLACED: usize = 4 * 1024 * 1024;

/// The text of these bytes.
fn text(bytes: Vec<u8>) -> String {
    let mut bytes = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    if bytes.len() <= MOST_REPLACED {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut start = 0;
    while let Err(error) = std::str::from_utf8(&bytes[start..]) {
        start += error.valid_up_to();
        let end = error
            .error_len()
            .map_or(bytes.len(), |length| start + length);
        bytes[start..end].fill(b'?');
        start = end;
    }
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_replaced_and_takes_no_more_room() {
        assert_eq!(text(b"a\xff\xc3".to_vec()), "a\u{fffd}\u{fffd}");
        let long = [
            &b"\xff"[..],
            "\u{e9}".repeat(MOST_REPLACED / 2).as_bytes(),
            b"\xe2\x82x\xe2",
        ]
        .concat();
        let shown = text(long.clone());
        assert_eq!(shown.len(), long.len());
        assert!(shown.starts_with("?\u{e9}") && shown.ends_with("\u{e9}??x?"));
    }

    #[test]
    fn no_more_is_taken_than_is_read() {
        let mut collected = Collected::new();
        collected.take(OutputStream::Stdout, &vec![b'x'; MOST]);
        collected.take(OutputStream::Stderr, &vec![b'y'; MOST]);
        assert!(!collected.is_full());
        collected.take(OutputStream::Stdout, b"x");
        assert!(collected.is_full());
        let output = collected.into_output(0);
        assert_eq!(output.stdout.len(), MOST);
        assert!(output.stderr.len() < MOST_ERRORS + 10);
    }
}
