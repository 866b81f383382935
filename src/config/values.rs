//! The kinds of values that the files' keys take.

use std::{borrow::Cow, str::FromStr, time::Duration};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::{
    section::{FromToml, Reader},
    suggest::did_you_mean,
};
use crate::diagnostic::{Located, Problem};

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl FromToml for String {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            reader.wrong_type(value, "a string");
            return None;
        };
        if text.contains('\0') {
            let place = reader.place(value.span());
            reader.problems.push(
                Problem::error("a NUL byte in a string")
                    .at(&place, "has a NUL byte")
                    .hint("neither a command line nor an environment variable can carry one"),
            );
            return None;
        }
        Some(text.clone().into_owned())
    }
}

impl FromToml for bool {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        reader.wrong_type(value, "`true` or `false`");
        None
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl FromToml for $type {
            fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
                let DeValue::Integer(number) = value.get_ref() else {
                    reader.wrong_type(value, "a number");
                    return None;
                };
                let read = <$type>::from_str_radix(number.as_str(), number.radix()).ok();
                if read.is_none() {
                    let place = reader.place(value.span());
                    reader.problems.push(
                        Problem::error(format!("`{number}` is out of range"))
                            .at(&place, format!("0 to {}", <$type>::MAX)),
                    );
                }
                read
            }
        }
    )*};
}
numbers!(u16, u32, u64);

impl<T: FromToml> FromToml for Vec<Located<T>> {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::Array(items) = value.get_ref() else {
            reader.wrong_type(value, "a list");
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| T::located(item, reader))
                .collect(),
        )
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<Located<T>>);

impl<T: FromToml> FromToml for OneOrMany<T> {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        if let DeValue::Array(_) = value.get_ref() {
            return FromToml::from_toml(value, reader).map(Self);
        }
        T::located(value, reader).map(|one| Self(vec![one]))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

/// A table whose keys are the user's own names, in the order of the file.
#[derive(Debug, Clone)]
pub struct Entries<T>(pub Vec<(Located<String>, Located<T>)>);

impl<T: FromToml> FromToml for Entries<T> {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            reader.wrong_type(value, "a table");
            return None;
        };
        let entries = table.iter().filter_map(|(key, value)| {
            let key = Located {
                value: key.get_ref().clone().into_owned(),
                place: reader.place(key.span()),
            };
            T::located(value, reader).map(|value| (key, value))
        });
        Some(Self(entries.collect()))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Entries{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// A string, number or boolean, as it is to be written out: `1.10` stays `1.10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its text.
    pub text: String,
    /// Whether it is written as a string, so that it may be a template.
    pub is_string: bool,
}

impl FromToml for Scalar {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::String(_) => {
                return String::from_toml(value, reader).map(|text| Self {
                    text,
                    is_string: true,
                });
            }
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                reader.wrong_type(value, "a string, a number, `true` or `false`");
                return None;
            }
        };
        Some(Self {
            text,
            is_string: false,
        })
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// The value of a var: a string, number or boolean, or a list of those.
#[derive(Debug, Clone, PartialEq)]
pub struct VarValue(pub serde_json::Value);

impl FromToml for VarValue {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        use serde_json::Value;
        let json = match value.get_ref() {
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .filter_map(|item| match item.get_ref() {
                        DeValue::Array(_) | DeValue::Table(_) => {
                            reader.wrong_type(item, "a string, a number, `true` or `false`");
                            None
                        }
                        _ => Self::from_toml(item, reader).map(|item| item.0),
                    })
                    .collect(),
            ),
            DeValue::Table(_) => {
                reader.wrong_type(value, "a string, number, boolean or list");
                return None;
            }
            _ => {
                let scalar = Scalar::from_toml(value, reader)?;
                refuse_template(value, &scalar, reader);
                // A number is a number in comparisons (`{{#if (gt replicas 2)}}`), as long as it is
                // printed as it was written.
                let number = (!scalar.is_string)
                    .then(|| serde_json::Number::from_str(&scalar.text).ok())
                    .flatten()
                    .filter(|number| number.to_string() == scalar.text);
                number.map_or(Value::String(scalar.text), Value::Number)
            }
        };
        Some(Self(json))
    }
}

fn refuse_template(value: &Spanned<DeValue<'_>>, scalar: &Scalar, reader: &mut Reader) {
    if scalar.text.contains("{{") {
        let place = reader.place(value.span());
        reader.problems.push(
            Problem::error("a var is a plain value, not a template")
                .at(&place, "has `{{`")
                .hint("put the template where the var is used, in the recipe"),
        );
    }
}

impl JsonSchema for VarValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Var".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let scalar = generator.subschema_for::<Scalar>();
        json_schema!({ "anyOf": [scalar, { "type": "array", "items": scalar }] })
    }
}

/// A length of time: `500ms`, `2s`, `1m30s`, `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationValue(pub Duration);

/// The longest duration: nobody means a longer one, and clocks end somewhere. Options have the same limit.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl FromToml for DurationValue {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let place = reader.place(value.span());
        let wrong = |message: String, hint: String| {
            Problem::error(message)
                .at(&place, "expected a duration")
                .hint(hint)
        };
        let examples = "write `500ms`, `2s`, `1m30s` or `2h`";
        let problem = match value.get_ref() {
            DeValue::String(text) => match text.parse::<SignedDuration>() {
                Ok(duration) => match Duration::try_from(duration) {
                    Ok(duration) if duration <= LONGEST => return Some(Self(duration)),
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
            "examples": ["500ms", "2s", "1m30s", "2h"]
        })
    }
}

/// A number of containers, or a percentage of them: `2`, `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountValue {
    /// At least 1.
    Number(u16),
    /// 1 to 100.
    Percent(u8),
}

impl FromToml for CountValue {
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let count = match value.get_ref() {
            DeValue::Integer(number) => u16::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| *number > 0)
                .map(Self::Number),
            DeValue::String(text) => text
                .strip_suffix('%')
                .and_then(|percent| percent.parse().ok())
                .filter(|percent| (1..=100).contains(percent))
                .map(Self::Percent),
            _ => {
                reader.wrong_type(value, "a number or a percentage");
                return None;
            }
        };
        if count.is_none() {
            let place = reader.place(value.span());
            reader.problems.push(
                Problem::error(format!(
                    "{} is not a number of containers",
                    place.text().trim_matches(['"', '\''])
                ))
                .at(&place, "expected a number from 1 or a percentage")
                .hint("write `2` or `\"25%\"`; a percentage is from 1% to 100%"),
            );
        }
        count
    }
}

impl JsonSchema for CountValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^(100|[1-9][0-9]?)%$" },
        ] })
    }
}

/// An enum of words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
        pub enum $name {
            $($(#[$variant_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl FromToml for $name {
            fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
                let DeValue::String(text) = value.get_ref() else {
                    reader.wrong_type(value, "a string");
                    return None;
                };
                match text.as_ref() {
                    $($word => Some(Self::$variant),)*
                    _ => {
                        unknown_word(text, value, &[$($word),*], reader);
                        None
                    }
                }
            }
        }
    };
}

fn unknown_word(text: &str, value: &Spanned<DeValue<'_>>, words: &[&str], reader: &mut Reader) {
    let place = reader.place(value.span());
    let choices = crate::text::list(words.iter().copied());
    let hint = did_you_mean(text, words.iter().copied());
    reader.problems.push(
        Problem::error(format!("`{text}` is not one of {choices}"))
            .at(&place, "unknown word")
            .maybe_hint(hint),
    );
}

choice! {
    /// What to do with a host key that no `known_hosts` file has.
    HostKeys {
        /// Refuse it.
        Strict = "strict",
        /// Add it to `known_hosts`. A changed key is refused all the same.
        AcceptNew = "accept-new",
    }
}

choice! {
    /// Where an image comes from.
    Source {
        /// Each host pulls it from its registry.
        Registry = "registry",
        /// The deployer's own Docker has it; hosts that lack it get it over the SSH connection.
        Local = "local",
    }
}

choice! {
    /// Which container comes first in an update.
    UpdateOrder {
        /// The new container serves before the old one stops.
        StartFirst = "start-first",
        /// The old container stops before the new one starts.
        StopFirst = "stop-first",
    }
}
