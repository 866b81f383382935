//! Inputs, taken apart.

/// The parts of an input as text; those that are missing are empty.
pub(super) fn parts<const N: usize>(input: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.splitn(N, "\n%%\n");
    std::array::from_fn(|_| parts.next().unwrap_or_default().to_owned())
}

/// Whether a text has no character that acts on a terminal, beside these.
pub(super) fn shows_only(text: &str, beside: &str) -> bool {
    let acts = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() || turns) && !beside.contains(c)
    };
    !text.contains(acts)
}
