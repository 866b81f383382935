//! Prose that is wider than the terminal.

use super::columns;
use crate::text::filled;

/// The narrowest that text is made: on less, the terminal breaks it where it will.
const NARROWEST: usize = 20;

/// A line, broken between words where it is wider than the terminal. What follows is indented by `below` columns. For
/// prose: what is copied as a whole, such as a command, stays on one line.
pub(in crate::report) fn wrapped(line: String, below: usize, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.filter(|width| columns(&line) > *width && *width >= NARROWEST) else {
        return vec![line];
    };
    let text = line.trim_start_matches(' ');
    let first = " ".repeat(line.len() - text.len());
    let below = " ".repeat(below.min(width / 2));
    let filled = filled(text, &first, &below, width);
    filled.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_names_stay_whole() {
        let line = || "  replace web-r2 on host-1, host-2: forced".to_owned();
        assert_eq!(wrapped(line(), 6, None), [line()]);
        assert_eq!(wrapped(line(), 6, Some(80)), [line()]);
        assert_eq!(
            wrapped(line(), 6, Some(24)),
            [
                "  replace web-r2 on",
                "      host-1, host-2:",
                "      forced"
            ]
        );
        assert_eq!(wrapped(line(), 6, Some(5)), [line()]);
        let name = "x".repeat(50);
        let long = format!("host-1  \u{2713} start {name} (1.0s)");
        assert_eq!(
            wrapped(long, 10, Some(40)),
            [
                "host-1  \u{2713} start".to_owned(),
                format!("          {name}"),
                "          (1.0s)".to_owned()
            ]
        );
        // Colours take no room.
        let painted = format!("{}{}{}", "\u{1b}[31m", "red ".repeat(6), "\u{1b}[0m");
        assert_eq!(wrapped(painted.clone(), 2, Some(30)), [painted]);
    }
}
