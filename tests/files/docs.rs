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
