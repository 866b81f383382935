//! Hooks: what they are told of real deploys, and what docs/hooks.md shows.

use serde_json::Value;

use crate::{
    lab::{APPS, Host},
    project::Project,
    stage::{Stage, both_answer, other},
};

const ALL: &str =
    "on = [\"started\", \"succeeded\", \"failed\", \"reverted\", \"interrupted\", \"locked\"]";

fn with_hooks(project: &Project, hooks: &str) {
    let inventory = "inventory/staging.toml";
    let text = std::fs::read_to_string(project.path(inventory)).expect("the inventory");
    let text = text.split("\n[[hooks]]").next().expect("a part").to_owned();
    project.write(inventory, &format!("{text}\n{hooks}"));
}

/// What was told since this was last asked: the event, the exit code and the release.
fn told(project: &Project) -> Vec<(String, Value, Value)> {
    let file = project.path("told.jsonl");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(file);
    let one = |line: &str| {
        let told: Value = serde_json::from_str(line).expect("JSON");
        let on = told["on"].as_str().expect("a word").to_owned();
        (on, told["exit_code"].clone(), told["release"].clone())
    };
    text.lines().map(one).collect()
}

fn events(project: &Project) -> Vec<String> {
    told(project).into_iter().map(|(on, _, _)| on).collect()
}

pub fn each_end(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = stage.copy("hooks");
    // One host after the other, as an interrupt finishes those in hand.
    for (old, new) in [
        ("healthy_deadline = \"60s\"", "healthy_deadline = \"20s\""),
        ("min_healthy_time = \"2s\"", "min_healthy_time = \"0s\""),
    ] {
        project.edit("recipes/flask-nanoservice.toml", old, new);
    }
    let tells = format!("[[hooks]]\n{ALL}\nrun = \"cat >> told.jsonl; echo told\"\n");
    with_hooks(&project, &tells);
    project.ok(&format!("deploy staging --set version={new} --dry-run"));
    assert!(events(&project).is_empty(), "a dry run");

    let run = project.ok(&format!("deploy staging --set version={new} -m cart"));
    run.says("hook started | told")
        .says("hook succeeded | told");
    let told = told(&project);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&*told[0].0, &*told[1].0), ("started", "succeeded"));
    assert_eq!((&told[1].1, &told[0].2), (&Value::from(0), &told[1].2));
    project.ok(&format!("deploy staging --set version={new}"));
    assert!(events(&project).is_empty(), "nothing was done");

    project.shipit("deploy staging --set version=bad").exits(5);
    assert_eq!(events(&project), ["started", "reverted"]);
    let gone = "deploy staging --set version=never-built";
    project.shipit(gone).exits(3);
    assert_eq!(events(&project), ["failed"]);
    project.ok("restart staging flask-nanoservice --limit host-1");
    assert_eq!(events(&project), ["started", "succeeded"]);

    let mut first = project.start(&format!("deploy staging --set version={old} -v"));
    first.wait_for("to be ready");
    project.shipit("rollback staging").exits(4);
    assert_eq!(events(&project), ["started", "locked"]);
    first.signal("INT");
    first.finish().exits(130);
    assert_eq!(events(&project), ["interrupted"]);
    project.ok(&format!("deploy staging --set version={new}"));

    // One that says no, and one that hangs at the end.
    let before = APPS.map(Host::app);
    let no = "[[hooks]]\non = [\"started\"]\nrun = \"echo 'not on Fridays' >&2; exit 1\"\n";
    with_hooks(&project, &format!("{no}{tells}"));
    let _ = events(&project);
    project
        .shipit(&format!("deploy staging --set version={old}"))
        .exits(2)
        .says("a hook for `started` failed; nothing was changed")
        .says("failed with status 1: not on Fridays");
    assert_eq!(APPS.map(Host::app), before);
    assert_eq!(events(&project), ["failed"]);
    let hangs = "[[hooks]]\non = [\"succeeded\"]\nrun = \"sleep 600\"\ntimeout = \"1s\"\n";
    with_hooks(&project, hangs);
    project
        .ok(&format!("deploy staging --set version={old}"))
        .says("a hook for `succeeded`: `sleep 600` did not end within 1s");
    both_answer(old);
}
