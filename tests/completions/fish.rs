//! Fish, which says by itself what it would complete.

use std::process::Command;

use crate::project::{Project, require, search_path};

/// What fish offers for lines.
fn offered(project: &Project, lines: &[&str]) -> String {
    let script = project.script("fish");
    let asked = lines
        .iter()
        .map(|line| format!("echo '> {line}<TAB>'; complete --do-complete='{line}'; "));
    let line = format!(
        "source '{}'; {}",
        script.display(),
        asked.collect::<String>()
    );
    let output = Command::new("fish")
        .args(["--no-config", "--command", &line])
        .env_clear()
        .env("PATH", search_path())
        .env("HOME", project.home())
        .env("LC_ALL", "C.UTF-8")
        .current_dir(project.path())
        .output()
        .expect("fish");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text(output.stderr), "");
    text(output.stdout).replace('\t', "  — ")
}

#[test]
fn what_is_offered() {
    require("fish");
    let project = Project::new();
    insta::assert_snapshot!(offered(
        &project,
        &[
            "shipit roll",
            "shipit deploy ",
            "shipit deploy staging w",
            "shipit deploy web --limit ",
            "shipit deploy --limit web-1,d",
            "shipit deploy --limit=ap",
            "shipit deploy --set ver",
            "shipit deploy --set=ver",
            "shipit rollback --to ",
            "shipit show staging ",
            "shipit run ",
            "shipit deploy --pro",
            "shipit init --from inv",
            "shipit init --from=inv",
            "shipit -C ../shop deploy sta",
            "shipit -C /nowhere deploy sta",
        ],
    ));
}
