//! Deploys that meet each other, are killed, or are interrupted.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2},
    project::Project,
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
            .says("untouched");
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

/// One container of the app behind a fixed port on host-2, so that the old one goes first.
fn with_a_fixed_port(stage: &Stage) -> Project {
    let project = stage.copy("fixed-port");
    project.write(
        "inventory/fixed.toml",
        "extends = \"staging\"\nrecipes = [\"fixed\"]\n",
    );
    project.write(
        "recipes/fixed.toml",
        "hosts = \"host-2\"\n\n[container]\nimage = \"shipit-lab/flask-nanoservice:{{version}}\"\n\
        publish = [\"18080:5000\"]\n\n[ready]\nhttp = \"/\"\n\n\
        [rollout]\nmin_healthy_time = \"1s\"\nhealthy_deadline = \"20s\"\n",
    );
    project
}

/// The version that answers on the fixed port, if one does.
fn behind_the_fixed_port() -> Result<String, String> {
    lab::get(&format!("http://{}:18080/", HOST_2.address()))
}

/// Deploys a version and kills shipit once it says `at`.
fn kill_at(project: &Project, version: &str, at: &str) {
    let mut doomed = project.start(&format!("deploy fixed --set version={version} -v"));
    doomed.wait_for(at);
    doomed.signal("KILL");
    assert_eq!(doomed.finish().code, None);
}

#[track_caller]
fn answers(version: &str) {
    let answer = behind_the_fixed_port().expect("an answer");
    assert!(answer.trim().ends_with(&format!("({version})")), "{answer}");
}

pub fn cut_off_between_start_and_ready(stage: &Stage) {
    let project = with_a_fixed_port(stage);
    project.ok("deploy fixed --set version=v1");
    kill_at(&project, "bad", "to be ready");
    // It runs, and it does not serve: going on finds that out, and takes v1 back.
    project
        .shipit("plan fixed --set version=bad")
        .exits(0)
        .says("ended before it saw that `fixed` serves\n1 to confirm");
    project
        .shipit("deploy fixed --set version=bad")
        .exits(5)
        .says("serving (reverted)");
    answers("v1");

    kill_at(&project, "v2", "to be ready");
    project.ok("deploy fixed --set version=v2");
    answers("v2");
    project
        .ok("deploy fixed --set version=v2")
        .says("nothing to do");
    project.ok("down fixed --yes");
}

pub fn cut_off_while_the_old_one_stops(stage: &Stage) {
    let project = with_a_fixed_port(stage);
    // It ignores SIGTERM, so that docker needs all of its ten seconds.
    project.ok("deploy fixed --set version=deaf");
    kill_at(&project, "v2", "stop fixed");
    project.ok("deploy fixed --set version=deaf");
    std::thread::sleep(std::time::Duration::from_secs(12));
    answers("deaf");
    project.ok("down fixed --yes");
}
