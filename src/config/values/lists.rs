//! Lists, and tables whose keys are the user's own names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{from_toml::FromToml, key::Shape, reader::Reader};
use crate::diagnostic::Located;

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

impl<T: FromToml> FromToml for Vec<Located<T>> {
    const SHAPE: Shape = match T::SHAPE {
        Shape::Table => Shape::Tables,
        other => other,
    };

    fn kind() -> String {
        format!("list of {}", T::kinds())
    }

    fn kinds() -> String {
        format!("lists of {}", T::kinds())
    }

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
    fn kind() -> String {
        format!("{} or list of {}", T::kind(), T::kinds())
    }

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
    const SHAPE: Shape = Shape::Table;

    fn kind() -> String {
        format!("table of {}", T::kinds())
    }

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
