//! Characters that act on a terminal, or on the order in which a line is read, instead of being printed. What comes from
//! a host, a record or a file may have them, and must not act.

use std::borrow::Cow;

/// Whether a character is not printed as it stands: C0 but for line breaks and tabs, DEL, C1, and what turns the reading
/// direction, by which a line can show itself as another one (CVE-2021-42574).
pub fn acts(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

/// Adds a character so that it can be seen: a control character of ASCII as its picture (`␛`), any other that acts as
/// its number (`\u{202e}`).
pub fn push_visible(text: &mut String, character: char) {
    match character {
        // Unicode has a picture for each at U+2400 and its code.
        '\0'..='\x1f' if acts(character) => {
            text.extend(char::from_u32(0x2400 + u32::from(character)));
        }
        '\x7f' => text.push('␡'),
        _ if acts(character) => text.extend(character.escape_unicode()),
        _ => text.push(character),
    }
}

/// The text, in which every character that acts can be seen. Line breaks, also those of Windows, and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\r' && characters.peek() == Some(&'\n') {
            shown.push('\r');
        } else {
            push_visible(&mut shown, character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_can_be_seen_and_everything_else_stays() {
        for (text, shown) in [
            (
                "plain, ünïcödé, 国, 👩‍🚀\tx\r\n",
                "plain, ünïcödé, 国, 👩‍🚀\tx\r\n",
            ),
            ("\x1b]0;title\x07", "␛]0;title␇"),
            ("\0\x08\r\x7f", "␀␈␍␡"),
            ("\u{9b}2J", "\\u{9b}2J"),
            (
                "evil\u{202e}txt\u{2066}\u{200f}\u{61c}",
                "evil\\u{202e}txt\\u{2066}\\u{200f}\\u{61c}",
            ),
        ] {
            assert_eq!(visible(text), shown);
        }
        for code in (0..0xa0).chain(0x2000..0x2070) {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let shown = visible(&character.to_string()).into_owned();
            assert!(!shown.contains(acts), "{code:x}");
        }
    }
}
