//! Host ranges: `web-[01:50]` stands for `web-01` to `web-50`.

use crate::model::is_ipv6;

/// The most digits that a number of a range may have: those of the largest that can be counted to.
const MOST_DIGITS: usize = 20;

/// The longest list that one range may stand for; more is a slip of the finger.
const LONGEST: u64 = 4096;

/// What a text with at most one range stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    /// It has no range.
    Single,
    /// It has one.
    Many(Vec<String>),
}

/// Expands the range in `text`, if it has one. Leading zeros of the first number are kept:
/// `[01:12]` counts 01, 02, …, 12.
pub(super) fn expand(text: &str) -> Result<Expansion, String> {
    let mut ranges = text.match_indices('[').filter_map(|(open, _)| {
        let close = open + text[open..].find(']')?;
        let inside = &text[open + 1..close];
        let (first, last) = inside.split_once(':')?;
        (!is_ipv6(inside)).then_some((open, close, first, last))
    });
    let Some((open, close, first, last)) = ranges.next() else {
        return Ok(Expansion::Single);
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return Err(format!(
            "the range in `{text}` does not count from one number to another, as `[1:3]` does"
        ));
    }
    if ranges.next().is_some() {
        return Err(format!("`{text}` has two ranges"));
    }
    if first.len().max(last.len()) > MOST_DIGITS {
        return Err(format!(
            "a range whose numbers have more than {MOST_DIGITS} digits"
        ));
    }
    let width = if first.starts_with('0') {
        first.len()
    } else {
        0
    };
    let range = first.parse::<u64>().ok().zip(last.parse::<u64>().ok());
    let Some((first, last)) = range.filter(|(first, last)| first <= last) else {
        return Err(format!("the range in `{text}` is empty"));
    };
    if last - first >= LONGEST {
        return Err(format!("the range in `{text}` is longer than {LONGEST}"));
    }
    let (before, after) = (&text[..open], &text[close + 1..]);
    let all = (first..=last).map(|number| format!("{before}{number:0width$}{after}"));
    Ok(Expansion::Many(all.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_counts_and_keeps_its_zeros() {
        let many = |items: &[&str]| Ok(Expansion::Many(items.iter().map(|&i| i.into()).collect()));
        for (text, expected) in [
            ("web", Ok(Expansion::Single)),
            ("web[1]", Ok(Expansion::Single)),
            ("[::1]", Ok(Expansion::Single)),
            ("[fe80::1%eth0]", Ok(Expansion::Single)),
            ("web-[8:10].a", many(&["web-8.a", "web-9.a", "web-10.a"])),
            ("web-[08:10]", many(&["web-08", "web-09", "web-10"])),
            ("[9:9]", many(&["9"])),
        ] {
            assert_eq!(expand(text), expected, "{text}");
        }
        for text in [
            "[2:1]",
            "a[1:2]b[1:2]",
            "w[a:c]",
            "w[1:]",
            "w[-1:3]",
            "[1:99999]",
            "[1:99999999999999999999999]",
        ] {
            assert!(expand(text).is_err(), "{text}");
        }
        let wide = format!("[{}1:{}2]", "0".repeat(70_000), "0".repeat(70_000));
        assert!(expand(&wide).is_err(), "seventy thousand zeros");
    }
}
