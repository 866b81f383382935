//! The places of mistakes within TOML strings, past the escapes there.

use crate::{diagnostic::Place, model::TemplateError};

/// Where in the file a mistake in a string stands: what an escape stands for is shorter than the escape.
pub(super) fn within(place: &Place, source: &str, error: &TemplateError) -> Place {
    let raw = place.text();
    let end = (error.offset + error.length).min(source.len());
    match (raw_offset(raw, error.offset), raw_offset(raw, end)) {
        (Some(start), Some(end)) => place
            .file
            .place(place.span.start + start..place.span.start + end),
        // Not a TOML string: a file that is a template itself.
        _ if raw == source => place
            .file
            .place(place.span.start + error.offset..place.span.start + end),
        _ => place.clone(),
    }
}

/// Where the decoded byte `target` of a TOML string stands in its raw text.
fn raw_offset(raw: &str, target: usize) -> Option<usize> {
    let quote = raw.chars().next().filter(|c| "\"'".contains(*c))?;
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let is_multiline = raw.len() >= 6 && raw.starts_with(&triple);
    let mut at = if is_multiline { 3 } else { 1 };
    if is_multiline {
        let body = &raw[at..];
        at += body.len()
            - body
                .strip_prefix("\r\n")
                .or(body.strip_prefix('\n'))
                .unwrap_or(body)
                .len();
    }
    let mut decoded = 0;
    while decoded < target {
        let mut rest = raw[at..].chars();
        let character = rest.next()?;
        if character != '\\' || quote == '\'' {
            at += character.len_utf8();
            decoded += character.len_utf8();
            continue;
        }
        let escape = rest.next()?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        at += 1 + escape.len_utf8() + digits;
        decoded += if digits > 0 {
            let code = u32::from_str_radix(raw.get(at - digits..at)?, 16).ok()?;
            char::from_u32(code)?.len_utf8()
        } else if escape.is_whitespace() {
            let continued = &raw[at..];
            at += continued.len() - continued.trim_start().len();
            0
        } else {
            1
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_string_is_found_behind_escapes() {
        for (raw, target, expected) in [
            (r#""a{{b""#, 1, "{{b\""),
            (r"'a\{{b'", 2, "{{b'"),
            (r#""\"é\u00e9\t{{b""#, 6, "{{b\""),
            ("\"\"\"\na\n{{b\"\"\"", 2, "{{b\"\"\""),
            ("\"\"\"a \\\n   {{b\"\"\"", 2, "\\\n   {{b\"\"\""),
            ("'''\n{{b'''", 0, "{{b'''"),
        ] {
            let found = raw_offset(raw, target).map(|at| &raw[at..]);
            assert_eq!(found, Some(expected), "{raw}");
        }
        assert_eq!(raw_offset("5", 0), None);
    }
}
