//! The values of options that are no plain text.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use regex::Regex;

use crate::release;

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

/// A point in time for docker: so long ago (`10m`), or a date and time, which is in UTC unless it says otherwise.
pub fn moment(text: &str) -> Result<String, String> {
    // Days are as good as hours here; for a deadline nobody writes them.
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let hours = days.map(|days: u16| format!("{}h", u32::from(days) * 24));
    if let Ok(ago) = duration(hours.as_deref().unwrap_or(text)) {
        return Ok(format!("{}s", ago.as_secs_f64()));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.to_string());
    }
    let at = text.parse::<DateTime>().ok();
    let at = at.and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    at.map(|at| at.timestamp().to_string()).ok_or_else(|| {
        "expected a time such as `10m`, or a date and time such as `2026-11-23 04:50`".to_owned()
    })
}

/// A regular expression.
pub fn expression(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        error => error.to_string(),
    })
}

/// A line for a release's record. What it may not have, such as line breaks, is taken out when it is written.
pub fn message(text: &str) -> Result<String, String> {
    match release::message(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("it says nothing".to_owned()),
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
    fn a_point_in_time_is_relative_or_a_date() {
        for (text, docker) in [
            ("10m", "600s"),
            ("1500ms", "1.5s"),
            ("2d", "172800s"),
            ("2026-11-23T04:50:00Z", "2026-11-23T04:50:00Z"),
            ("2026-11-23T04:50:00+01:00", "2026-11-23T03:50:00Z"),
            ("2026-11-23 04:50", "2026-11-23T04:50:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
        ] {
            assert_eq!(moment(text).as_deref(), Ok(docker), "{text}");
        }
        for text in ["yesterday", "10", "0s", "0d", "366d", "2026-13-01"] {
            moment(text).expect_err(text);
        }
    }

    #[test]
    fn an_expression_that_is_none_says_where() {
        assert!(expression("GET|POST").is_ok());
        let error = expression("(open").expect_err("it is not closed");
        assert!(error.contains("unclosed group"), "{error}");
        expression("a{1000}{1000}{1000}").expect_err("it is too large");
    }

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
