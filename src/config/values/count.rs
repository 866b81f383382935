//! Numbers of containers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{from_toml::FromToml, key::Written, reader::Reader};
use crate::diagnostic::Problem;

/// A number of containers, or a percentage of them: `2`, `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many; at least 1.
    Number(u16),
    /// So many percent, 1 to 100.
    Percent(u8),
}

impl Written for Count {
    fn written(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Percent(percent) => format!("{percent}%").into(),
        }
    }
}

impl FromToml for Count {
    fn kind() -> String {
        "number or percentage".to_owned()
    }

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

impl JsonSchema for Count {
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

/// How many equal containers run on a host: a number, or a template that comes to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instances {
    /// So many; at least 1.
    Number(u16),
    /// As many as this comes to on the host.
    Template(String),
}

impl Instances {
    /// A number of them, as it is written. `None` where it is none that a host can have.
    pub fn number(text: &str) -> Option<u16> {
        text.parse().ok().filter(|number| *number > 0)
    }
}

impl Written for Instances {
    fn written(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Template(text) => text.as_str().into(),
        }
    }
}

impl FromToml for Instances {
    fn kind() -> String {
        "number or template".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => u16::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| *number > 0),
            DeValue::String(_) => return String::from_toml(value, reader).map(Self::Template),
            _ => {
                reader.wrong_type(value, "a number or a template");
                return None;
            }
        };
        if number.is_none() {
            let place = reader.place(value.span());
            let problem = Problem::error(format!("{} is not a number of instances", place.text()));
            let problem = problem.at(&place, format!("expected 1 to {}", u16::MAX));
            reader.problems.push(problem);
        }
        number.map(Self::Number)
    }
}

impl JsonSchema for Instances {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Instances".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 65535 },
            { "type": "string" },
        ] })
    }
}
