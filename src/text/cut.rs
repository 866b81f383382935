//! Shortening of text. What was left out is always marked with `…`, and only here: the masks of secrets know by that
//! mark that a secret may have been cut in two.

/// Stands where text was left out.
pub const CUT: char = '…';

/// The longest line of a host's that is shown or kept, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;

/// The first `most` characters of a text, and the mark if it has more.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{CUT}", &text[..end]),
        None => text.to_owned(),
    }
}

/// A line of at most [`LONGEST_LINE`] bytes, and how many were left out of a longer one.
pub fn cut_line(line: &str) -> String {
    let end = boundary(line, LONGEST_LINE);
    if end == line.len() {
        line.to_owned()
    } else {
        with_left_out(&line[..end], (line.len() - end) as u64)
    }
}

/// The beginning of a line, and how many bytes of it were left out.
pub fn with_left_out(beginning: &str, bytes: u64) -> String {
    format!("{beginning}{CUT} (cut: the line has {bytes} bytes more)")
}

/// The last `most` bytes of a text, behind the mark if it has more.
pub fn cut_front(text: &str, most: usize) -> String {
    let start = text.len().saturating_sub(most);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at));
    let start = start.unwrap_or(text.len());
    if start == 0 {
        text.to_owned()
    } else {
        format!("{CUT}{}", &text[start..])
    }
}

/// Where a text can be cut in two: at this byte, or else before the character that it is in.
pub fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    let mut before = (0..=at).rev();
    before.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The end of what a command printed, as it comes: what an error shows of it.
#[derive(Debug)]
pub struct Tail {
    bytes: Vec<u8>,
    most: usize,
    is_cut: bool,
}

/// As much as an error has room for.
impl Default for Tail {
    fn default() -> Self {
        Self::new(4 * 1024)
    }
}

impl Tail {
    /// The last `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most,
            is_cut: false,
        }
    }

    /// Adds what came next.
    pub fn add(&mut self, bytes: &[u8]) {
        // In one go where more comes than is kept, so that nothing large is copied twice.
        let bytes = &bytes[bytes.len().saturating_sub(self.most + 1)..];
        self.bytes.extend_from_slice(bytes);
        let excess = self.bytes.len().saturating_sub(self.most);
        self.is_cut |= excess > 0;
        self.bytes.drain(..excess);
    }

    /// The text, behind the mark if there was more.
    pub fn into_text(self) -> String {
        if !self.is_cut {
            return String::from_utf8_lossy(&self.bytes).into_owned();
        }
        // The rest of a character that was cut in two.
        let is_rest = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
        let rest = self.bytes.iter().take(3).take_while(|byte| is_rest(byte));
        let whole = &self.bytes[rest.count()..];
        format!("{CUT}{}", String::from_utf8_lossy(whole))
    }
}

/// The bytes without the beginning of a character that was cut in two at their end.
pub fn without_half_a_character(bytes: &[u8]) -> &[u8] {
    let Some(start) = bytes.len().checked_sub(1).map(|last| {
        let earliest = last.saturating_sub(3);
        let is_start = |at: &usize| bytes[*at] & 0b1100_0000 != 0b1000_0000;
        (earliest..=last).rev().find(is_start).unwrap_or(last)
    }) else {
        return bytes;
    };
    let is_half =
        std::str::from_utf8(&bytes[start..]).is_err_and(|error| error.error_len().is_none());
    if is_half { &bytes[..start] } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_marked() {
        assert_eq!(
            (cut("äbc", 3).as_str(), cut("äbcd", 3).as_str()),
            ("äbc", "äbc…")
        );
        assert_eq!(cut_front("äbc", 4), "äbc");
        assert_eq!(cut_front("äbc", 3), "…bc", "no half of a character");
        let long = format!("{}ä", "x".repeat(LONGEST_LINE - 1));
        assert!(cut_line(&long).ends_with("x… (cut: the line has 2 bytes more)"));
        assert_eq!(cut_line("short"), "short");
    }

    #[test]
    fn the_tail_of_what_comes_in_pieces() {
        let mut tail = Tail::default();
        tail.add("ä".as_bytes());
        for _ in 0..3 {
            tail.add(&"ä".repeat(1000).into_bytes());
        }
        tail.add(b"\xff.");
        let text = tail.into_text();
        assert!(
            text.starts_with("…ä") && text.ends_with("ä\u{fffd}."),
            "{text}"
        );
        assert!(text.len() <= 4 * 1024 + 5, "{}", text.len());
        let mut short = Tail::default();
        short.add(b"all of it");
        assert_eq!(short.into_text(), "all of it");
    }

    #[test]
    fn half_a_character_is_none() {
        for (whole, bytes) in [
            ("é", &b"\xc3\xa9"[..]),
            ("a", b"a\xf0\x9f\x98"),
            ("", b"\xc3"),
            ("", b""),
        ] {
            assert_eq!(without_half_a_character(bytes), whole.as_bytes());
        }
        assert_eq!(
            without_half_a_character(b"a\xff"),
            b"a\xff",
            "that is no beginning"
        );
    }
}
