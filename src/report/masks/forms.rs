//! In which forms a secret may be printed.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

/// Shorter values are not masked: three characters are no secret, masking them would garble half of the
/// output, and the gaps would reveal them.
pub const SHORTEST: usize = 4;

/// Shorter lines of a longer secret are masked only where they are a whole line of output.
const SHORTEST_LINE: usize = 3;

/// The lengths of the lines into which `base64` and `openssl` cut.
const LINES_OF_BASE64: [usize; 2] = [76, 64];

/// The texts that must not be shown of a secret: its value, each of its lines (events are made of lines), and what
/// base64 makes of it, wherever in a longer text it is. How each may be escaped is the matter of
/// [`Form`](super::form::Form).
pub fn forms(secret: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for value in [secret, secret.trim()] {
        if value.chars().count() >= SHORTEST {
            forms.push(value.to_owned());
            in_base64(value.as_bytes(), &mut forms);
        }
    }
    let lines = lines(secret).filter(|line| line.chars().count() >= SHORTEST_LINE);
    forms.extend(lines.map(str::to_owned));
    // A list is no set: few secrets have many forms.
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The lines of a secret that are masked only where they are a whole line of output.
pub fn short_lines(secret: &str) -> impl Iterator<Item = &str> {
    lines(secret).filter(|line| line.chars().count() < SHORTEST_LINE)
}

/// The lines of a secret that has several. A bracket is none that anybody has to hide.
fn lines(secret: &str) -> impl Iterator<Item = &str> {
    let has_several = secret.trim().contains(['\n', '\r']);
    let lines = secret.split(['\n', '\r']).map(str::trim);
    lines.filter(move |line| has_several && line.contains(char::is_alphanumeric))
}

/// What stands in base64 for bytes that are a part of a longer text. Three bytes become four letters, so there are
/// three ways; a letter that depends on what is before or behind is left out.
fn in_base64(bytes: &[u8], forms: &mut Vec<String>) {
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let start = (8 * before).div_ceil(6);
        let end = 8 * padded.len() / 6;
        for encoded in [
            Base64Unpadded::encode_string(&padded),
            Base64UrlUnpadded::encode_string(&padded),
        ] {
            let known = &encoded[start..end];
            forms.push(known.to_owned());
            if before > 0 {
                continue;
            }
            for length in LINES_OF_BASE64
                .into_iter()
                .filter(|most| known.len() > *most)
            {
                let lines = known.as_bytes().chunks(length).map(String::from_utf8_lossy);
                let lines = lines.filter(|line| line.len() >= SHORTEST);
                forms.extend(lines.map(std::borrow::Cow::into_owned));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_known_wherever_the_secret_stands() {
        let forms = forms("hunter2");
        for before in ["", "u", "us", "usr", "user:"] {
            for after in ["", "x", "xy", "xyz"] {
                let whole =
                    Base64Unpadded::encode_string(format!("{before}hunter2{after}").as_bytes());
                assert!(
                    forms.iter().any(|form| whole.contains(form.as_str())),
                    "{before} {after}"
                );
            }
        }
    }

    #[test]
    fn lines_count_where_there_are_several() {
        let lines = |secret| lines(secret).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines("one line\n"), Vec::<String>::new());
        assert_eq!(lines("{\n  \"a\": 1,\r\n x\n}\n"), ["\"a\": 1,", "x"]);
        assert_eq!(
            short_lines("abc\nab\na\n}").collect::<Vec<_>>(),
            ["ab", "a"]
        );
        assert!(forms("abc\nab").contains(&"abc".to_owned()));
        assert_eq!(forms("abc"), Vec::<String>::new());
    }
}
