//! Lines out of chunks of bytes.

/// Cuts a stream into lines.
#[derive(Default)]
pub(in crate::transport) struct Lines(Vec<u8>);

impl Lines {
    /// Adds bytes and hands over each line that is complete now, without its `\n` or `\r\n`.
    pub(in crate::transport) fn add(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.0.extend_from_slice(&rest[..end]);
            self.hand_over(on_line);
            rest = &rest[end + 1..];
        }
        self.0.extend_from_slice(rest);
    }

    /// Hands over what is left, a line without a newline.
    pub(in crate::transport) fn end(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.0.is_empty() {
            self.hand_over(on_line);
        }
    }

    fn hand_over(&mut self, on_line: &mut dyn FnMut(&str)) {
        let line = self.0.strip_suffix(b"\r").unwrap_or(&self.0);
        on_line(&String::from_utf8_lossy(line));
        self.0.clear();
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
}
