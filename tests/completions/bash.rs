//! Bash.

use crate::{
    project::{Project, require},
    terminal::{Terminal, with_function},
};

#[test]
fn what_is_completed_is_run() {
    require("bash");
    let project = Project::new();
    let script = project.script("bash");
    let mut bash = Terminal::open(
        &project,
        "bash --norc --noprofile -i",
        &with_function(&script),
    );
    for (typed, run) in [
        ("dep<TAB>sta<TAB>wo<TAB>", "deploy staging worker"),
        ("deploy web --lim<TAB>ap<TAB>", "deploy web --limit apps"),
        ("deploy --limit web-1,d<TAB>", "deploy --limit web-1,db-1"),
        ("deploy --limit=ap<TAB>", "deploy --limit=apps"),
        ("deploy --set ver<TAB>2", "deploy --set version=2"),
        ("deploy --set=ver<TAB>2", "deploy --set=version=2"),
        ("rollback --to r1<TAB>", "rollback --to r10"),
        ("run mi<TAB>", "run migrate"),
        ("explain rollout.can<TAB>", "explain rollout.canary"),
        (
            "init --from inv<TAB>sta<TAB>",
            "init --from inventory/staging.toml",
        ),
        ("-C ../shop deploy sta<TAB>", "-C ../shop deploy staging"),
        ("-C '../shop' deploy sta<TAB>", "-C ../shop deploy staging"),
        (
            "deploy nothing-of-that-name<TAB>",
            "deploy nothing-of-that-name",
        ),
        ("-C /nowhere deploy sta<TAB>", "-C /nowhere deploy sta"),
    ] {
        assert_eq!(bash.run(typed).trim_end(), run, "{typed}");
    }
    bash.see(
        "rollback --to r<TAB><TAB>",
        &["r10  (2026-11-21 09:30 UTC)", "r9   (2026-11-20 08:00 UTC)"],
    );
    bash.see(
        "deploy staging <TAB><TAB>",
        &["web      (the shop)", "migrate  (recipe)"],
    );
}
