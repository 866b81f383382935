//! Plain values of any type: for environment variables and labels, and for vars.

use std::{borrow::Cow, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{from_toml::FromToml, reader::Reader};
use crate::diagnostic::Problem;

/// A string, number or boolean, as it is to be written out: `1.10` stays `1.10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its text.
    pub text: String,
    /// Whether it is written as a string, so that it may be a template.
    pub is_string: bool,
}

impl FromToml for Scalar {
    fn kind() -> String {
        "string, number or boolean".to_owned()
    }

    fn kinds() -> String {
        "strings, numbers and booleans".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::String(_) => {
                return String::from_toml(value, reader).map(|text| Self {
                    text,
                    is_string: true,
                });
            }
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Integer(number) => {
                let decimal = i128::from_str_radix(number.as_str(), number.radix()).ok();
                as_written(value, decimal.map(|decimal| decimal.to_string()), reader)?
            }
            DeValue::Float(number) => as_written(value, Some(number.as_str().to_owned()), reader)?,
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

/// The text of a number, as it is to be written out. One in a form of TOML alone may be meant as the form or as
/// the number.
fn as_written(
    value: &Spanned<DeValue<'_>>,
    number: Option<String>,
    reader: &mut Reader,
) -> Option<String> {
    let place = reader.place(value.span());
    let written = place.text();
    if number.as_deref() == Some(written) {
        return number;
    }
    let as_number = number.map_or_else(String::new, |number| {
        format!(", or `{number}` for the number")
    });
    reader.problems.push(
        Problem::error(format!("`{written}` is a number in a form of TOML's own"))
            .at(&place, "would not be the same text elsewhere")
            .hint(format!("write `\"{written}\"` for this text{as_number}")),
    );
    None
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
    fn kind() -> String {
        "var".to_owned()
    }

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
