//! The JSON Schemas in `schema/` are the ones that the code makes.

use std::{fs, path::Path};

use shipit::config::{inventory_schema, recipe_schema};

#[test]
fn the_schemas_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, schema) in [
        ("schema/inventory.json", inventory_schema()),
        ("schema/recipe.json", recipe_schema()),
    ] {
        let expected = format!("{schema:#}\n");
        let found = fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(
            found == expected,
            "`{file}` is out of date: run `cargo run -- schema`"
        );
    }
}
