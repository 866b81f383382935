//! Zsh.

use crate::{
    project::{Project, require},
    terminal::{Terminal, with_function},
};

#[test]
fn what_is_completed_is_run() {
    require("zsh");
    let project = Project::new();
    let script = project.script("zsh");
    let setup = format!(
        "autoload -U compinit; compinit -u -D\n{}",
        with_function(&script)
    );
    let mut zsh = Terminal::open(&project, "zsh -f -i", &setup);
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
        (
            "init --from=inv<TAB>sta<TAB>",
            "init --from=inventory/staging.toml",
        ),
        ("-C '../shop' deploy sta<TAB>", "-C ../shop deploy staging"),
        (
            "deploy nothing-of-that-name<TAB>",
            "deploy nothing-of-that-name",
        ),
        ("-C /nowhere deploy sta<TAB>", "-C /nowhere deploy sta"),
    ] {
        assert_eq!(zsh.run(typed).trim_end(), run, "{typed}");
    }
    zsh.see(
        "rollback --to <TAB><TAB>",
        &["2026-11-21 09:30 UTC", "2026-11-20 08:00 UTC"],
    );
    zsh.see("deploy staging <TAB><TAB>", &["the shop"]);
}

#[test]
fn the_script_is_a_completion_of_a_folder_in_fpath() {
    require("zsh");
    let project = Project::new();
    let script = project.script("zsh");
    project.write(
        "../functions/_shipit",
        &std::fs::read_to_string(script).expect("it is there"),
    );
    let setup = "fpath=(~/functions $fpath); autoload -U compinit; compinit -u -D\n\
                 shipit() { printf 'RAN''[%s]''RAN\\n' \"$*\"; }";
    let mut zsh = Terminal::open(&project, "zsh -f -i", setup);
    assert_eq!(zsh.run("deploy sta<TAB>").trim_end(), "deploy staging");
    assert_eq!(zsh.run("deploy sta<TAB>").trim_end(), "deploy staging");
}
