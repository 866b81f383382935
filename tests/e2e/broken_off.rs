//! Deploys that meet each other, are killed, or are interrupted.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2},
    stage::{Stage, both_answer, other},
};

pub fn two_at_once(stage: &Stage) {
    let (old, project) = (stage.now(), stage.project());
    let new = other(old);
    stage.loses_nothing("two deploys at once", |_| {
        let mut first = project.start(&format!("deploy staging --set version={new} -v"));
        first.wait_for("start flask-nanoservice-r");
        // One lock, whatever the filter says.
        let bob = project.as_user("bob");
        for line in [
            "deploy staging --set version=v3",
            "deploy staging --set version=v3 --limit host-2",
            "rollback staging",
        ] {
            bob.shipit(line)
                .exits(4)
                .says("`staging` is being changed by alice@")
                .says("(deploy, since ");
        }
        let run = first.finish();
        run.exits(0);
        crate::stage::failed(&run)
    });
    both_answer(new);
}

pub fn killed(stage: &Stage) {
    let (old, project) = (stage.now(), stage.project());
    let new = other(old);
    stage.loses_nothing("a deploy is killed, the next one converges", |_| {
        let mut doomed = project.start(&format!("deploy staging --set version={new} -v"));
        // In the middle of host-1: both containers run there.
        doomed.wait_for("to be ready");
        doomed.signal("KILL");
        assert_eq!(doomed.finish().code, None);

        let run = project.ok(&format!("deploy staging --set version={new}"));
        crate::stage::failed(&run)
    });
    both_answer(new);
    for host in APPS {
        host.app();
    }
    project.ok("history staging").says("unfinished");
    project.ok("check staging");
}

pub fn interrupted(stage: &Stage) {
    let (old, project) = (stage.now(), stage.project());
    let new = other(old);
    let untouched = HOST_2.app();
    stage.loses_nothing("a deploy is interrupted, the next one goes on", |_| {
        let mut run = project.start(&format!("deploy staging --set version={new} -v"));
        run.wait_for("to be ready");
        run.signal("INT");
        let run = run.finish();
        run.exits(130)
            .says("interrupted: finishing the hosts in progress, starting no other")
            .says("serving (untouched)");
        let answers = lab::who_answers(2);
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(
            answers[0].contains(new) != answers[1].contains(new),
            "{answers:?}"
        );
        assert_eq!(HOST_2.app(), untouched);
        let next = project.ok(&format!("deploy staging --set version={new}"));
        vec![(&run).into(), (&next).into()]
    });
    HOST_1.app();
    both_answer(new);
}
