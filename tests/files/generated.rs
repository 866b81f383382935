//! Files that are made from the declarations of the keys: the JSON Schemas, and the key tables of the docs.

use std::{fmt::Write as _, fs, path::Path};

use shipit::{
    config::{inventory_schema, key_table, recipe_schema, tables},
    hooks::input_schema,
};

/// Holds a file against what it should be. `INSTA_UPDATE=always` renews it, as it does snapshots.
fn hold(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, expected).expect("written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "`{file}` is out of date: run `INSTA_UPDATE=always cargo test --test files`, then read the diff"
    );
}

#[test]
fn the_schemas_are_current() {
    for (file, schema) in [
        ("schema/inventory.json", inventory_schema()),
        ("schema/recipe.json", recipe_schema()),
        ("schema/hook.json", input_schema()),
    ] {
        hold(file, &format!("{schema:#}\n"));
    }
}

#[test]
fn the_key_tables_of_the_docs_are_current() {
    const BEGIN: &str = "<!-- keys of ";
    const END: &str = "<!-- end of keys -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files.md");
    let text = fs::read_to_string(path).expect("the docs");
    let mut parts = text.split(BEGIN);
    let mut expected = parts.next().expect("a beginning").to_owned();
    let mut shown = Vec::new();
    for part in parts {
        let (headers, rest) = part.split_once(" -->").expect("the end of the marker");
        let (_, after) = rest.split_once(END).expect("the end of the table");
        let headers: Vec<_> = headers.split(' ').collect();
        let table = key_table(&headers);
        let _ = write!(
            expected,
            "{BEGIN}{} -->\n{table}{END}{after}",
            headers.join(" ")
        );
        shown.extend(headers.into_iter().map(str::to_owned));
    }
    hold("docs/files.md", &expected);
    let known: Vec<_> = tables().into_iter().map(|(header, _)| header).collect();
    for header in &known {
        assert!(
            shown.iter().any(|found| found == header),
            "docs/files.md does not show the keys of {header}"
        );
    }
    assert_eq!(
        shown.len(),
        known.len(),
        "a table is shown twice, or unknown"
    );
}

/// What every key says of itself.
#[test]
fn every_key_is_declared_in_full() {
    for (header, table) in tables() {
        for key in table.keys {
            let name = format!("{header} {}", key.name);
            assert!(key.meaning.ends_with('.'), "{name}: {}", key.meaning);
            assert!(!key.meaning.contains("Default:"), "{name}: {}", key.meaning);
            let limits = key.range.and_then(|range| range.numbers);
            if let (Some(default), Some(limits)) = (key.default, limits) {
                let default = default.as_u64().expect("a number");
                assert!(limits.contain(default), "{name}: {default}");
            }
        }
    }
}
