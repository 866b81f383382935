//! The examples in `docs/files.md` are one project, and it loads.

use std::path::Path;

use super::project::{TestProject, shown};

#[test]
fn the_examples_of_the_docs_load() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files.md");
    let text = std::fs::read_to_string(path).expect("the docs");
    let project = TestProject::new(&[("files/logrotate.conf", "# on {{host.name}}\n")]);
    let mut count = 0;
    for block in text.split("```toml\n").skip(1) {
        let (file, _) = block.split_once("```").expect("the block's end");
        let name = file.lines().next().and_then(|line| line.strip_prefix("# "));
        project.write(name.expect("the file's name"), file);
        count += 1;
    }
    assert!(count >= 6, "{count} examples");
    // No inventory of the docs names the task, so that it can be shown on its own.
    project.write(
        "inventory/tasks.toml",
        "extends = \"staging\"\nrecipes = [\"logrotate\"]\n",
    );
    for environment in ["staging", "production", "tasks"] {
        assert_eq!(
            shown(project.load(environment)),
            "no mistakes\n",
            "{environment}"
        );
    }
}

#[test]
fn the_docs_name_every_key() {
    fn keys(schema: &serde_json::Value, found: &mut Vec<String>) {
        let Some(object) = schema.as_object() else {
            return;
        };
        let properties = object.get("properties").and_then(|found| found.as_object());
        found.extend(properties.into_iter().flat_map(|all| all.keys().cloned()));
        for value in object.values() {
            keys(value, found);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files.md");
    let text = std::fs::read_to_string(path).expect("the docs");
    let mut found = Vec::new();
    keys(&shipit::config::inventory_schema(), &mut found);
    keys(&shipit::config::recipe_schema(), &mut found);
    assert!(found.len() > 80, "{}", found.len());
    for key in found {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let is_there = text.match_indices(&key).any(|(at, _)| {
            !is_word(text[..at].chars().next_back())
                && !is_word(text[at + key.len()..].chars().next())
        });
        assert!(is_there, "`{key}` is not in docs/files.md");
    }
}
