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
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), title.into());
    }
    schema
}
