//! What a command printed.

use crate::event::OutputStream;

/// What a command left: its exit status and all it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status.
    pub status: u32,
    /// Standard output; what is no UTF-8 in it is replaced.
    pub stdout: String,
    /// Standard error; what is no UTF-8 in it is replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the status is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

/// What a command prints, as it comes.
#[derive(Default)]
pub(in crate::transport) struct Collected {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Collected {
    pub(in crate::transport) fn add(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.extend_from_slice(bytes),
        }
    }

    pub(in crate::transport) fn into_output(self, status: u32) -> Output {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        };
        Output {
            status,
            stdout: text(self.stdout),
            stderr: text(self.stderr),
        }
    }
}
