//! Numbers in JSON that a host sent. One that there cannot be is anybody's mistake, and must not hide all the rest.

use serde::{Deserialize, Deserializer};

/// A whole number of any size; a fraction is cut off, and beyond an `i128` is the last one before. `None` is `null`.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i128>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(deserializer)?;
    Ok(number.map(|number| whole(&number)))
}

/// A whole number that fits its field, or else 0. For `#[serde(deserialize_with = …)]`.
pub fn number_or_zero<'de, D: Deserializer<'de>, T: Default + TryFrom<i128>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let number = whole_number(deserializer)?.unwrap_or_default();
    Ok(T::try_from(number).unwrap_or_default())
}

/// A whole number, or else the nearest one that its field can have. For `#[serde(deserialize_with = …)]`.
pub fn nearest_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = whole_number(deserializer)?.unwrap_or_default();
    let number = number.clamp(i64::MIN.into(), i64::MAX.into());
    Ok(i64::try_from(number).unwrap_or_default())
}

fn whole(number: &serde_json::Number) -> i128 {
    let (signed, unsigned) = (number.as_i64(), number.as_u64());
    let whole = signed.map(i128::from).or_else(|| unsigned.map(i128::from));
    #[expect(clippy::cast_possible_truncation, reason = "the nearest is wanted")]
    whole.unwrap_or_else(|| number.as_f64().unwrap_or_default() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Numbers {
        #[serde(deserialize_with = "whole_number")]
        any: Option<i128>,
        #[serde(deserialize_with = "number_or_zero")]
        port: u16,
        #[serde(deserialize_with = "nearest_number")]
        code: i64,
    }

    #[test]
    fn a_number_that_there_cannot_be_is_read_nevertheless() {
        for (json, any, port, code) in [
            ("null", None, 0, 0),
            ("443", Some(443), 443, 443),
            ("-5", Some(-5), 0, -5),
            ("70000", Some(70000), 0, 70000),
            ("1.9", Some(1), 1, 1),
            ("18446744073709551615", Some(u64::MAX.into()), 0, i64::MAX),
            ("-1e300", Some(i128::MIN), 0, i64::MIN),
            ("1e300", Some(i128::MAX), 0, i64::MAX),
        ] {
            let all = format!(r#"{{"any":{json},"port":{json},"code":{json}}}"#);
            let read: Numbers = serde_json::from_str(&all).expect("numbers");
            assert_eq!(
                (read.any, read.port, read.code),
                (any, port, code),
                "{json}"
            );
        }
    }
}
