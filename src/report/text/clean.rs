//! Text that is fit for a terminal: what a host printed can neither move the cursor nor hide anything,
//! and everything is measured by the columns it takes, not by its bytes.

use std::borrow::Cow;

use console::{measure_text_width, strip_ansi_codes, truncate_str};

use crate::text::push_visible;

/// The text as one line that only prints: escape sequences, which print nothing, are removed, a tab is spaces, and
/// every other character that acts can be seen.
pub(crate) fn clean(text: &str) -> String {
    let stripped = strip_escapes(text);
    let mut line = String::with_capacity(stripped.len());
    for character in stripped.trim_end_matches('\r').chars() {
        match character {
            '\t' => line.push_str("    "),
            '\n' => line.push('␊'),
            _ => push_visible(&mut line, character),
        }
    }
    line
}

/// The text without its escape sequences. What is no whole sequence stays.
pub(crate) fn strip_escapes(text: &str) -> Cow<'_, str> {
    if text.contains(['\x1b', '\u{9b}']) {
        strip_ansi_codes(text)
    } else {
        Cow::Borrowed(text)
    }
}

/// The lines of a text, each [`clean`].
pub(crate) fn clean_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(clean)
}

/// The columns that a text takes; colours take none.
pub(crate) fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// The text, shortened with `…` to at most so many columns.
pub(crate) fn fit(text: &str, width: usize) -> Cow<'_, str> {
    match width {
        0 => Cow::Borrowed(""),
        _ => truncate_str(text, width, "…"),
    }
}

/// The text with spaces behind it up to so many columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_host_prints_cannot_act_on_the_terminal() {
        for (printed, shown) in [
            ("plain, ünïcödé, 国, 👩‍🚀", "plain, ünïcödé, 国, 👩‍🚀"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b[2J\x1b[1;1Hgone?", "gone?"),
            ("10%\r100%\r", "10%␍100%"),
            ("a\tb\x07", "a    b␇"),
            ("cut off \x1b", "cut off ␛"),
            ("c1 \u{9b}2J", "c1 "),
            ("one\nrow", "one␊row"),
            ("evil\u{202e}txt", "evil\\u{202e}txt"),
        ] {
            assert_eq!(clean(printed), shown, "{printed:?}");
        }
        assert!(!clean("\x1b]0;title\x07text").contains(['\x1b', '\x07']));
    }

    #[test]
    fn text_is_measured_in_columns() {
        assert_eq!(fit("国国国", 5), "国国…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(pad("国", 4), "国  ");
        assert_eq!(columns("\x1b[31m国\x1b[0m"), 2);
    }

    proptest! {
        #[test]
        fn cleaned_text_has_nothing_but_printing_characters(text in any::<String>()) {
            prop_assert!(!clean(&text).contains(|it| it == '\n' || crate::text::acts(it)));
        }

        #[test]
        fn fitted_text_fits(text in any::<String>(), width in 0_usize..40) {
            let text = clean(&text);
            prop_assert!(columns(&fit(&text, width)) <= width);
        }
    }
}
