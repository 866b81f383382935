//! Canaries that a person lets pass, or does not.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2},
    project::Project,
    stage::{Stage, both_answer, failed, other},
    terminal::Terminal,
};

const QUESTION: &str =
    "The canaries of `flask-nanoservice` are healthy. Roll out to the others? [y/N] ";

fn asking(stage: &Stage) -> Project {
    let project = stage.copy("promotion");
    project.edit(
        "recipes/flask-nanoservice.toml",
        "auto_promote = true",
        "auto_promote = false",
    );
    project
}

/// Deploys on a terminal up to the question, sees that one host has the new version, and answers.
#[track_caller]
fn answer(project: &Project, (old, new): (&str, &str), answer: &str) -> crate::project::Run {
    let untouched = HOST_2.app();
    let mut terminal = Terminal::open(project, &format!("deploy staging --set version={new}"));
    terminal.wait_for(QUESTION);
    let answers = lab::who_answers(2);
    for version in [old, new] {
        let serves = |answer: &String| answer.ends_with(&format!("({version})"));
        assert!(answers.iter().any(serves), "{answers:?}");
    }
    assert_eq!(HOST_2.app(), untouched);
    terminal.types(answer);
    terminal.finish()
}

pub fn asked_on_a_terminal(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = asking(stage);
    let before = APPS.map(lab::Host::app);
    stage.loses_nothing(
        "a canary that is refused, then one that is let pass",
        |_| {
            let refused = answer(&project, (old, new), "n");
            refused
                .exits(5)
                .says(" stopped: promotion was refused")
                .says_not("need a hand")
                .says("serving (reverted)")
                .says("untouched");
            assert_eq!(APPS.map(lab::Host::app), before);
            both_answer(old);

            let granted = answer(&project, (old, new), "y");
            granted.exits(0).says("deployed r");
            both_answer(new);
            vec![(&refused).into(), (&granted).into()]
        },
    );
}

pub fn promoted_beforehand(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = asking(stage);
    // Without a terminal nobody can be asked, which is said before anything is changed.
    let before = lab::everything();
    project
        .shipit(&format!("deploy staging --set version={new}"))
        .exits(2)
        .says("the canaries of `flask-nanoservice` need a promotion, and there is nobody to ask")
        .says("hint: use `--promote`, or set `auto_promote = true`");
    assert_eq!(lab::everything(), before);
    let first = HOST_1.app();
    stage.loses_nothing("a canary that is promoted beforehand", |_| {
        let run = project.ok(&format!("deploy staging --set version={new} --promote"));
        failed(&run)
    });
    assert_ne!(HOST_1.app(), first);
    both_answer(new);
}
