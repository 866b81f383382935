//! The JSON Schema of a table, from what is known of its keys.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::key::{Key, Table};

/// The JSON Schema of a table; `values` are those of its keys' values, in their order.
pub(crate) fn table_schema<const N: usize>(table: Table, values: [Schema; N]) -> Schema {
    let keys = table.keys.into_iter().zip(values);
    let properties: Map<String, Value> = keys
        .map(|(key, value)| (key.name.to_owned(), property(&key, value.to_value())))
        .collect();
    let schema = json!({
        "description": table.about,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    match schema {
        Value::Object(schema) => schema.into(),
        _ => Schema::default(),
    }
}

fn property(key: &Key, value: Value) -> Value {
    let mut description = key.meaning.clone();
    match key.needed {
        Some("needed") => description += " Needed.",
        Some(words) => description.extend([" Needed: ", words, "."]),
        None => {}
    }
    if let Some(default) = key.default_shown() {
        description.extend([" Default: ", &default, "."]);
    }
    let mut property = match value {
        // Draft 7 ignores what stands beside a `$ref`.
        Value::Object(value) if value.contains_key("$ref") => {
            Map::from_iter([("allOf".to_owned(), json!([value]))])
        }
        Value::Object(value) => value,
        _ => Map::new(),
    };
    property.insert("description".to_owned(), description.into());
    if let Some(default) = &key.default {
        property.insert("default".to_owned(), default.clone());
    }
    if let Some(limits) = key.range.as_ref().and_then(|range| range.numbers) {
        property.insert("minimum".to_owned(), limits.least.into());
        if let Some(most) = limits.most {
            property.insert("maximum".to_owned(), most.into());
        }
    }
    property.into()
}
