//! Lines out of chunks of bytes.

use crate::text::{LONGEST_LINE, with_left_out, without_half_a_character};

/// Cuts a stream into lines.
#[derive(Default)]
pub(in crate::transport) struct Lines {
    line: Vec<u8>,
    /// How many bytes of the line were left out.
    left_out: u64,
}

impl Lines {
    /// Adds bytes and hands over each line that is complete now, without its `\n` or `\r\n`.
    pub(in crate::transport) fn add(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            self.hand_over(on_line);
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// Hands over what is left, a line without a newline.
    pub(in crate::transport) fn end(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.line.is_empty() {
            self.hand_over(on_line);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE - self.line.len();
        let (kept, left_out) = bytes.split_at(bytes.len().min(room));
        self.line.extend_from_slice(kept);
        self.left_out += left_out.len() as u64;
    }

    fn hand_over(&mut self, on_line: &mut dyn FnMut(&str)) {
        if self.left_out == 0 {
            let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
            on_line(&String::from_utf8_lossy(line));
        } else {
            let whole = without_half_a_character(&self.line);
            let left_out = self.left_out + (self.line.len() - whole.len()) as u64;
            let line = String::from_utf8_lossy(whole);
            on_line(&with_left_out(&line, left_out));
        }
        self.line.clear();
        self.left_out = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_line_however_the_bytes_are_cut() {
        let text = "one\ntwo\r\n\nthrée\rx\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                lines.add(chunk, &mut |line| seen.push(line.to_owned()));
            }
            lines.end(&mut |line| seen.push(line.to_owned()));
            assert_eq!(seen, ["one", "two", "", "thrée\rx", "last"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut_and_says_so() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for _ in 0..5 {
            lines.add(&vec![b'x'; 32 * 1024], &mut |line| {
                seen.push(line.to_owned());
            });
        }
        lines.add(b"\nnext\n", &mut |line| seen.push(line.to_owned()));
        let cut = "x".repeat(64 * 1024) + "… (cut: the line has 98304 bytes more)";
        assert_eq!(seen, [&cut[..], "next"]);
        assert!(lines.line.capacity() <= 2 * LONGEST_LINE, "it kept no more");
    }
}
