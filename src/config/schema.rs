//! JSON Schemas of the files, for editors.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::{inventory::Inventory, recipe::Recipe};

/// The JSON Schema of an inventory.
pub fn inventory_schema() -> Value {
    schema::<Inventory>("A shipit inventory")
}

/// The JSON Schema of a recipe.
pub fn recipe_schema() -> Value {
    schema::<Recipe>("A shipit recipe")
}

fn schema<T: JsonSchema>(title: &str) -> Value {
    // Editors for TOML understand draft 7 best.
    let generator = SchemaGenerator::new(SchemaSettings::draft07());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), title.into());
    }
    schema
}

/// Takes out what Rust put in: `null` for what may be absent (TOML has none), line breaks of doc comments.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            for choices in ["anyOf", "oneOf"] {
                let Some(Value::Array(items)) = object.get_mut(choices) else {
                    continue;
                };
                let null = serde_json::json!({ "type": "null" });
                items.retain(|item| *item != null);
                if let [Value::Object(only)] = items.as_slice() {
                    // Draft 7 ignores what stands beside a `$ref`.
                    let only = match only.get("$ref") {
                        Some(_) => serde_json::json!({ "allOf": [only] }),
                        None => Value::Object(only.clone()),
                    };
                    object.shift_remove(choices);
                    if let Value::Object(only) = only {
                        object.extend(only);
                    }
                }
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}
