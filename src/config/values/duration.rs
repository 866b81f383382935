//! Lengths of time.

use std::{borrow::Cow, time::Duration};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{
    from_toml::FromToml,
    key::{Limits, Ranged, Written},
    reader::Reader,
    slot::Plain,
};
use crate::diagnostic::Problem;

/// A length of time: `500ms`, `2s`, `1m30s`, `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationValue(pub Duration);

/// The longest duration: nobody means a longer one, and clocks end somewhere. Options have the same limit.
pub const LONGEST_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl DurationValue {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Written for DurationValue {
    fn written(&self) -> serde_json::Value {
        crate::text::duration(self.0).into()
    }
}

impl Plain<Duration> for DurationValue {
    fn meaning(&self) -> Duration {
        self.0
    }
}

impl Ranged for DurationValue {
    const IS_NUMBER: bool = false;

    fn amount(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Durations have no limit but that some may not be zero.
    fn within(_: Limits) -> String {
        "more than `0s`".to_owned()
    }
}

impl FromToml for DurationValue {
    fn kind() -> String {
        "duration".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let place = reader.place(value.span());
        let wrong = |message: String, hint: String| {
            Problem::error(message)
                .at(&place, "expected a duration")
                .hint(hint)
        };
        let examples = "write `500ms`, `2s`, `1m30s`, `2h` or `7d`";
        let problem = match value.get_ref() {
            DeValue::String(text) => match parse(text) {
                Ok(duration) => match Duration::try_from(duration) {
                    Ok(duration) if duration <= LONGEST_DURATION => return Some(Self(duration)),
                    Ok(_) => wrong(
                        format!("`{text}` is longer than a year"),
                        "the longest is `8760h`".to_owned(),
                    ),
                    Err(_) => wrong(
                        format!("`{text}` is a negative duration"),
                        examples.to_owned(),
                    ),
                },
                Err(_) => wrong(format!("`{text}` is not a duration"), examples.to_owned()),
            },
            DeValue::Integer(number) => wrong(
                "a duration needs its unit".to_owned(),
                format!("write `\"{number}s\"` for seconds"),
            ),
            _ => {
                reader.wrong_type(value, "a duration such as `\"30s\"`");
                return None;
            }
        };
        reader.problems.push(problem);
        None
    }
}

/// A day is 24 hours here: nobody means the hour that daylight saving time takes.
fn parse(text: &str) -> Result<SignedDuration, jiff::Error> {
    let days = text.strip_suffix('d').map(str::trim_end);
    match days.and_then(|days| days.parse::<u16>().ok()) {
        Some(days) => Ok(SignedDuration::from_hours(i64::from(days) * 24)),
        None => text.parse(),
    }
}

impl JsonSchema for DurationValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]",
            "examples": ["500ms", "2s", "1m30s", "2h", "7d"]
        })
    }
}
