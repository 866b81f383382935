//! The values of options that are no plain text.

use std::time::Duration;

use jiff::SignedDuration;

/// `r41` or `41`.
pub fn release(text: &str) -> Result<u64, String> {
    match text.strip_prefix('r').unwrap_or(text).parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a release is a number such as `r41` or `41`".to_owned()),
    }
}

/// The longest time: nobody means a longer one, and clocks end somewhere. The files have the same limit.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// `30s`, `5m`, `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration: Option<SignedDuration> = text.parse().ok();
    match duration.map(Duration::try_from) {
        Some(Ok(duration)) if duration > LONGEST => {
            Err("it is longer than a year, `8760h`".to_owned())
        }
        Some(Ok(duration)) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a time above zero with its unit, such as `30s` or `5m`".to_owned()),
    }
}

/// `key=value`; the value may be empty and may have more equals signs.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_an_end() {
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(90 * 60)));
        assert_eq!(duration("8760h"), Ok(LONGEST));
        for (text, why) in [
            (
                "0s",
                "expected a time above zero with its unit, such as `30s` or `5m`",
            ),
            (
                "30",
                "expected a time above zero with its unit, such as `30s` or `5m`",
            ),
            ("8761h", "it is longer than a year, `8760h`"),
            ("9000000000000000000s", "it is longer than a year, `8760h`"),
        ] {
            assert_eq!(duration(text), Err(why.to_owned()), "{text}");
        }
    }
}
