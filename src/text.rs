//! Small pieces of text for people: durations, lists, plurals, error chains, complaints of tools, and what is cut.

mod columns;
mod complaint;
mod cut;
mod json;
mod number;
mod visible;

use std::{error::Error, fmt, time::Duration};

pub use columns::{UNLIMITED, filled, in_two_columns};
pub use complaint::{complaint, first_line, is_logged_warning, reason};
pub use cut::{
    CUT, LONGEST_LINE, Tail, cut, cut_front, cut_line, with_left_out, without_half_a_character,
};
pub use json::parse_json;
pub use number::{nearest_number, number_or_zero, whole_number};
pub use visible::{acts, push_visible, visible};

/// A duration as a person writes it: `500ms`, `12s`, `1.2s`, `1m30s`, `2h5m`.
pub fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 if milliseconds % 1000 < 100 => format!("{seconds}s"),
        1..60 => format!("{seconds}.{}s", milliseconds % 1000 / 100),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => match seconds / 3600 {
            hours @ 48.. if hours.is_multiple_of(24) => format!("{}d", hours / 24),
            hours => format!("{hours}h"),
        },
        _ => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
pub fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match &quoted[..] {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// `1 host`, `3 hosts`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `950 B`, `12.5 MB`, `1.2 GB`: in powers of 1000, as docker counts.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let (mut tenths, mut unit) = (number / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1000, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A text that somebody else wrote, as one line of at most so many characters: what would break the line, move the
/// cursor or turn the reading direction is `\u{fffd}`.
pub fn one_line(text: &str, longest: usize) -> String {
    let plain = |character: char| {
        let breaks = matches!(character, '\n' | '\t') || acts(character);
        if breaks { '\u{fffd}' } else { character }
    };
    text.chars().take(longest).map(plain).collect()
}

/// An error and its causes as separate lines, outermost first.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        lines.push(cause.to_string());
        source = cause.source();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            (0, "0ms"),
            (500, "500ms"),
            (1000, "1s"),
            (1250, "1.2s"),
            (59_999, "59.9s"),
            (60_000, "1m"),
        ];
        let more = [(90_000, "1m30s"), (3_600_000, "1h"), (7_500_000, "2h5m")];
        for (milliseconds, text) in cases.into_iter().chain(more) {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn bytes_have_a_unit() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_540_000, "12.5 MB"),
            (999_999_999, "999.9 MB"),
            (1_230_000_000, "1.2 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn lists_and_counts() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(
            (count(1, "host"), count(0, "host")),
            ("1 host".into(), "0 hosts".into())
        );
    }
}
