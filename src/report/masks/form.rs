//! One form of a secret, and how far a text has it: as it is, or escaped as in a URL or in JSON.

use super::forms::SHORTEST;
use crate::text::CUT;

/// How many bytes at most an escape has that was cut in two.
pub const HALF_AN_ESCAPE: usize = 12;

/// How a text writes characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// As they are.
    Plain,
    /// Some of them as `%2F`, `\"`, `\u00e9` or `+`.
    Escaped,
}

/// How far a text has a form.
struct Followed<'a> {
    characters: usize,
    is_whole: bool,
    /// The text behind it.
    rest: &'a str,
}

fn follow<'a>(form: &str, text: &'a str, writing: Writing) -> Followed<'a> {
    let (mut rest, mut characters) = (text, 0);
    // Where what was taken for a character may be the first half of an escape.
    let mut half: Option<(usize, &str)> = None;
    for wanted in form.chars() {
        let escaped = (writing == Writing::Escaped)
            .then(|| escaped(wanted, rest))
            .flatten();
        let Some(taken) = escaped.or_else(|| plain(wanted, rest)) else {
            let is_whole = before_cut(rest).is_some();
            let at_half = half.filter(|(_, rest)| !is_whole && before_cut(rest).is_some());
            let (characters, rest) = at_half.unwrap_or((characters, rest));
            return Followed {
                characters,
                is_whole: false,
                rest,
            };
        };
        if escaped.is_none() && matches!(wanted, '%' | '\\') {
            half = Some((characters, rest));
        }
        rest = &rest[taken..];
        characters += 1;
    }
    Followed {
        characters,
        is_whole: true,
        rest,
    }
}

/// The end of what a text has of a form from its first character on, if that must not be shown: all of it, or what was
/// left before a cut.
pub fn end_of(form: &str, text: &str) -> Option<usize> {
    [Writing::Plain, Writing::Escaped]
        .into_iter()
        .find_map(|writing| {
            let Followed {
                characters,
                is_whole,
                rest,
            } = follow(form, text, writing);
            let taken = text.len() - rest.len();
            if is_whole {
                return Some(taken);
            }
            let left = before_cut(rest).filter(|_| characters >= SHORTEST);
            left.map(|left| taken + left)
        })
}

/// How much of a text is left before it was cut, if that is no more than the beginning of a character.
fn before_cut(rest: &str) -> Option<usize> {
    let is_begun = match rest.chars().next()? {
        CUT => return Some(0),
        '%' => |it: char| it.is_ascii_hexdigit() || it == '%',
        '\\' => |it: char| it.is_ascii_hexdigit() || matches!(it, '\\' | 'u' | 'x' | '{'),
        char::REPLACEMENT_CHARACTER => |it| it == char::REPLACEMENT_CHARACTER,
        _ => return None,
    };
    let mut left = rest.char_indices().skip(1).take(HALF_AN_ESCAPE);
    let end = left.find(|(_, it)| !is_begun(*it));
    end.filter(|(_, it)| *it == CUT).map(|(left, _)| left)
}

/// The end of what a text that was cut at its front has of the end of a form; at least four characters.
pub fn end_of_tail(form: &str, text: &str) -> Option<usize> {
    let starts = form.char_indices().skip(1).map(|(start, _)| start);
    let mut tails = starts.map(|start| &form[start..]);
    tails.find_map(|tail| {
        [Writing::Plain, Writing::Escaped]
            .into_iter()
            .find_map(|writing| {
                let Followed {
                    characters,
                    is_whole,
                    rest,
                } = follow(tail, text, writing);
                // The text may end, or be cut, before the form does.
                let is_over = is_whole || rest.is_empty() || before_cut(rest).is_some();
                (is_over && characters >= SHORTEST).then(|| text.len() - rest.len())
            })
    })
}

/// The character of the escape that a text begins with.
pub fn escaped_start(text: &str) -> Option<char> {
    if let Some(escape) = text.strip_prefix('\\') {
        return Some(after_backslash(escape)?.0);
    }
    let escapes = text.split('%').skip(1).take(4);
    let bytes = escapes.map_while(|it| u8::from_str_radix(it.get(..2)?, 16).ok());
    let bytes: Vec<_> = bytes.collect();
    let is_escape = text.starts_with('%');
    let chunk = bytes.utf8_chunks().next().filter(|_| is_escape)?;
    chunk.valid().chars().next()
}

/// How many bytes of a text are this character as it is.
fn plain(wanted: char, text: &str) -> Option<usize> {
    text.starts_with(wanted).then(|| wanted.len_utf8())
}

/// How many bytes of a text are an escape of this character.
fn escaped(wanted: char, text: &str) -> Option<usize> {
    match text.as_bytes().first()? {
        b'+' => (wanted == ' ').then_some(1),
        b'%' => in_url(wanted, text),
        b'\\' => {
            let (character, length) = after_backslash(&text[1..])?;
            (character == wanted).then_some(1 + length)
        }
        _ => None,
    }
}

/// `%C3%A9`: each byte of a character.
fn in_url(wanted: char, text: &str) -> Option<usize> {
    let mut buffer = [0; 4];
    let bytes = wanted.encode_utf8(&mut buffer).as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let escape = text.get(3 * index..3 * index + 3)?;
        if u8::from_str_radix(escape.strip_prefix('%')?, 16).ok()? != *byte {
            return None;
        }
    }
    Some(3 * bytes.len())
}

/// The character that an escape of JSON, Rust, Python or C stands for, and its length without the backslash.
fn after_backslash(text: &str) -> Option<(char, usize)> {
    let hex = |from: usize, to: usize| u32::from_str_radix(text.get(from..to)?, 16).ok();
    let first = text.chars().next()?;
    let simple = match first {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        '"' | '\\' | '/' | '\'' => first,
        'x' => return Some((char::from_u32(hex(1, 3)?)?, 3)),
        'u' if text[1..].starts_with('{') => {
            let end = text.find('}')?;
            return Some((char::from_u32(hex(2, end)?)?, end + 1));
        }
        'u' => {
            let unit = hex(1, 5)?;
            if let Some(character) = char::from_u32(unit) {
                return Some((character, 5));
            }
            // Two halves of one that needs more than 16 bits.
            let second = text
                .get(5..7)
                .filter(|it| *it == "\\u")
                .and_then(|_| hex(7, 11))?;
            let code = 0x1_0000 + ((unit & 0x3ff) << 10) + (second & 0x3ff);
            return Some((char::from_u32(code)?, 11));
        }
        _ => return None,
    };
    Some((simple, first.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_however_it_is_escaped() {
        let form = "p/é \"\\😀";
        for text in [
            form,
            "p%2Fé%20%22%5c%F0%9F%98%80",
            "p/%C3%A9+\"\\😀",
            r#"p\/\u00e9 \"\\\ud83d\ude00"#,
            r"p/\u{e9} \u0022\\\u{1f600}",
        ] {
            assert_eq!(
                end_of(form, &format!("{text}!")),
                Some(text.len()),
                "{text}"
            );
        }
        assert_eq!(
            end_of("ab\\\\cd", "ab\\\\cd"),
            Some(6),
            "nothing is escaped"
        );
        assert_eq!(end_of("abcd", "abce"), None);
    }

    #[test]
    fn what_a_cut_has_left_counts() {
        let secret = "sécret-value";
        for (text, hidden) in [
            ("sécret…", Some("sécret")),
            ("sécre… (cut", Some("sécre")),
            ("s%C3%A9cre%7…", Some("s%C3%A9cre%7")),
            ("séc…", None),
            ("sécret", None),
        ] {
            assert_eq!(end_of(secret, text), hidden.map(str::len), "{text}");
        }
        for (text, hidden) in [
            ("t-value and more", Some("t-value")),
            ("ret-va", Some("ret-va")),
            ("lue and more", None),
        ] {
            assert_eq!(end_of_tail(secret, text), hidden.map(str::len), "{text}");
        }
    }
}
