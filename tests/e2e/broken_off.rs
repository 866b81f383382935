//! Deploys that meet each other, are killed, or are interrupted.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2},
    stage::{Stage, both_answer},
};

pub fn two_at_once(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    stage.loses_nothing("two deploys at once", |_| {
        let mut first = project.start("deploy staging --set version=v2 -v");
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
    both_answer("v2");
}

pub fn killed(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    stage.loses_nothing("a deploy is killed, the next one converges", |_| {
        let mut doomed = project.start("deploy staging --set version=v2 -v");
        // In the middle of host-1: both containers run there.
        doomed.wait_for("to be ready");
        doomed.signal("KILL");
        assert_eq!(doomed.finish().code, None);

        let run = project.ok("deploy staging --set version=v2");
        crate::stage::failed(&run)
    });
    both_answer("v2");
    for host in APPS {
        host.app();
    }
    project.ok("history staging").says("unfinished");
    project.ok("check staging");

    // Cut off between two hosts, a rollback returns the one that was changed.
    let mut doomed = project.start("deploy staging --set version=v1 -v");
    doomed.wait_for("host-2  · flask-nanoservice: start");
    doomed.signal("KILL");
    doomed.finish();
    project.ok("deploy staging --set version=v2");
    both_answer("v2");
    for host in APPS {
        host.app();
    }
}

pub fn interrupted(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    let untouched = HOST_2.app();
    stage.loses_nothing("a deploy is interrupted, the next one goes on", |_| {
        let mut run = project.start("deploy staging --set version=v2 -v");
        run.wait_for("to be ready");
        run.signal("INT");
        let run = run.finish();
        run.exits(130)
            .says("interrupted: the hosts in hand are finished, no other is started")
            .says("serving (untouched)");
        let answers = lab::answers(8);
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(
            answers[0].contains("(v1)") != answers[1].contains("(v1)"),
            "{answers:?}"
        );
        assert_eq!(HOST_2.app(), untouched);
        let next = project.ok("deploy staging --set version=v2");
        vec![(&run).into(), (&next).into()]
    });
    HOST_1.app();
    both_answer("v2");
}
