//! Shares of a whole.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{from_toml::FromToml, key::Written, reader::Reader};
use crate::diagnostic::Problem;

/// A share of a whole, in hundredths of a percent: `"5%"` is 500, `"0.25%"` is 25. Up to 10,000, which is all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentage(pub u16);

impl Percentage {
    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || fraction.len() > 2 {
            return None;
        }
        let hundredths: u16 = format!("{fraction:0<2}").parse().ok()?;
        let whole: u16 = whole.parse().ok()?;
        let all = whole.checked_mul(100)?.checked_add(hundredths)?;
        (all <= 10_000).then_some(Self(all))
    }
}

impl Written for Percentage {
    fn written(&self) -> serde_json::Value {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => format!("{whole}%").into(),
            _ => format!(
                "{whole}.{}%",
                format!("{hundredths:02}").trim_end_matches('0')
            )
            .into(),
        }
    }
}

impl FromToml for Percentage {
    fn kind() -> String {
        "percentage".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            reader.wrong_type(value, "a percentage such as `\"5%\"`");
            return None;
        };
        let share = Self::parse(text);
        if share.is_none() {
            let place = reader.place(value.span());
            reader.problems.push(
                Problem::error(format!("`{text}` is not a percentage"))
                    .at(&place, "expected `0%` to `100%`")
                    .hint("write `\"5%\"` or `\"0.25%\"`"),
            );
        }
        share
    }
}

impl JsonSchema for Percentage {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Percentage".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(100(\\.00?)?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages() {
        let table = [
            ("5%", Some((500, "5%"))),
            ("0.25%", Some((25, "0.25%"))),
            ("0.5%", Some((50, "0.5%"))),
            ("12.05%", Some((1205, "12.05%"))),
            ("100%", Some((10_000, "100%"))),
            ("0%", Some((0, "0%"))),
            ("100.01%", None),
            ("101%", None),
            ("99999%", None),
            ("0.001%", None),
            (".5%", None),
            ("5.%", None),
            ("-1%", None),
            ("+1%", None),
            ("5", None),
            ("%", None),
            ("5 %", None),
            ("five%", None),
        ];
        for (text, expected) in table {
            let read = Percentage::parse(text);
            let read = read.map(|share| (share.0, share.written()));
            let expected = expected.map(|(hundredths, shown)| (hundredths, shown.into()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
