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
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), title.into());
    }
    schema
}

/// TOML has no null: an absent key is absent.
fn without_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_null),
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
                    let only = only.clone();
                    object.shift_remove(choices);
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
