use std::fs;

use super::*;
use crate::{
    event::Outcome,
    hosts::testing::{TestFleet, behaviour},
    run::Interrupts,
};

const HOOKS: &str = r#"
[[hooks]]
on = ["started", "succeeded", "failed", "reverted", "interrupted", "locked"]
run = "cat >> told.jsonl"
"#;

/// A fleet whose environment has these hooks.
async fn lab(hooks: &str) -> TestFleet {
    let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
    let mut lab = TestFleet::new(&[("web", recipe)], vec![behaviour()]).await;
    let inventory = lab.project.path().join("inventory/staging.toml");
    let text = fs::read_to_string(&inventory).expect("the inventory");
    fs::write(&inventory, text + hooks).expect("written");
    let project = crate::model::Project {
        root: lab.project.path().to_owned(),
    };
    let loaded = crate::model::load(&project, "staging", &crate::model::Overrides::default());
    lab.environment = loaded
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    lab
}

fn context<'a>(lab: &'a TestFleet, interrupts: &'a Interrupts) -> Context<'a> {
    let mut context = Context::of_alice(
        &lab.environment,
        lab.project.path(),
        &lab.connector,
        &lab.events,
        interrupts,
    );
    context.masked = &|text| text.replace("s3cret", "***");
    context.message = Some("the new cart".to_owned());
    context
}

fn web() -> Vec<HookRecipe> {
    vec![HookRecipe {
        name: "web".into(),
        version: Some("v2".into()),
        hosts: vec!["host-1".into()],
    }]
}

/// What the hooks have read so far, each as one value.
fn told(lab: &TestFleet) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(lab.project.path().join("told.jsonl")).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// What of the events a user would read.
fn shown(lab: &mut TestFleet) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = lab.told.try_next() {
        match event.kind {
            EventKind::HookOutput { on, line } => lines.push(format!("hook {on} | {line}")),
            EventKind::Warning { message, .. } => lines.push(message),
            _ => {}
        }
    }
    lines
}

#[tokio::test]
async fn each_end_runs_the_hooks_for_it() {
    let lab = lab(HOOKS).await;
    let interrupts = Interrupts::listen().expect("signals");
    let context = context(&lab, &interrupts);
    let failed = |outcome| Err(Stop::new(outcome, "it failed with s3cret").cause("a cause"));
    for (ended, on, code) in [
        (Ok(Outcome::Done), "succeeded", 0),
        (failed(Outcome::Failed), "failed", 1),
        (failed(Outcome::Usage), "failed", 2),
        (failed(Outcome::NotReady), "failed", 3),
        (failed(Outcome::Locked), "locked", 4),
        (failed(Outcome::Reverted), "reverted", 5),
        (failed(Outcome::Interrupted), "interrupted", 130),
    ] {
        let before = told(&lab).len();
        let hooks = Hooks::new(&context, "deploy", false);
        hooks
            .starting("r2".into(), web())
            .await
            .expect("it may begin");
        hooks.ended(&ended).await;
        let told = told(&lab);
        let [started, end] = &told[before..] else {
            panic!("{told:?}");
        };
        assert_eq!(started["on"], "started");
        assert_eq!(started["exit_code"], serde_json::Value::Null);
        assert_eq!((&end["on"], &end["exit_code"]), (&on.into(), &code.into()));
        let error = ended.err().map(|_| "it failed with ***");
        assert_eq!(end["error"].as_str(), error);
    }
    // Nothing was done, and nothing is told.
    let before = told(&lab).len();
    let hooks = Hooks::new(&context, "deploy", false);
    hooks.ended(&Ok(Outcome::NothingToDo)).await;
    let dry = Hooks::new(&context, "deploy", true);
    dry.starting("r2".into(), web()).await.expect("it may");
    dry.ended(&Ok(Outcome::Done)).await;
    assert_eq!(told(&lab).len(), before);
}

#[tokio::test]
async fn a_hook_reads_what_the_release_is() {
    let lab = lab(HOOKS).await;
    let interrupts = Interrupts::listen().expect("signals");
    let context = context(&lab, &interrupts);
    let hooks = Hooks::new(&context, "deploy", false);
    hooks.starting("r2".into(), web()).await.expect("it may");
    let mut told = told(&lab).remove(0);
    assert!(told["started"].as_str().is_some_and(|at| at.ends_with('Z')));
    told["started"] = "now".into();
    assert_eq!(
        told,
        serde_json::json!({
            "on": "started",
            "text": "deploy r2 of staging by alice@laptop begins: web v2",
            "environment": "staging",
            "command": "deploy",
            "release": "r2",
            "by": "alice@laptop",
            "message": "the new cart",
            "revision": null,
            "started": "now",
            "finished": null,
            "took_ms": null,
            "recipes": [{ "name": "web", "version": "v2", "hosts": ["host-1"] }],
            "exit_code": null,
            "error": null,
            "causes": [],
        })
    );
}

#[tokio::test]
async fn a_hook_that_fails_at_the_beginning_stops_the_release_and_at_the_end_warns() {
    let hooks = "[[hooks]]\non = [\"started\", \"failed\"]\nrun = \"echo asking; echo 'not on Fridays' >&2; exit 3\"\n\
        [[hooks]]\non = [\"started\", \"failed\"]\nrun = \"cat >> told.jsonl\"\n";
    let mut lab = lab(hooks).await;
    let interrupts = Interrupts::listen().expect("signals");
    let context = context(&lab, &interrupts);
    let hooks = Hooks::new(&context, "deploy", false);
    let stop = hooks.starting("r2".into(), web()).await;
    let stop = stop.expect_err("it may not begin");
    assert_eq!(stop.outcome, Outcome::Usage);
    let line = "echo asking; echo 'not on Fridays' >&2; exit 3";
    assert_eq!(
        stop.report.message,
        "a hook for `started` failed; nothing was changed"
    );
    assert_eq!(
        stop.report.causes,
        [format!("`{line}` failed with status 3: not on Fridays")]
    );
    assert_eq!(told(&lab).len(), 0, "the one after it did not run");
    hooks.ended(&Err(stop)).await;
    assert_eq!(told(&lab)[0]["on"], "failed");
    let mut shown = shown(&mut lab);
    let warning = format!("a hook for `failed`: `{line}` failed with status 3: not on Fridays");
    assert_eq!(shown.pop(), Some(warning));
    shown.sort();
    assert_eq!(
        shown,
        [
            "hook failed | asking",
            "hook failed | not on Fridays",
            "hook started | asking",
            "hook started | not on Fridays",
        ]
    );
}

#[tokio::test]
async fn an_interrupted_release_has_its_hooks_and_a_further_interrupt_ends_them() {
    let hooks =
        "[[hooks]]\non = [\"interrupted\"]\nrun = \"cat > told.jsonl; echo there; sleep 600\"\n";
    let mut lab = lab(hooks).await;
    let interrupts = Interrupts::listen().expect("signals");
    interrupts.raise();
    let context = context(&lab, &interrupts);
    let hooks = Hooks::new(&context, "deploy", false);
    let ended = Err(Stop::new(Outcome::Interrupted, "interrupted"));
    let file = lab.project.path().join("told.jsonl");
    let again = async {
        while !fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        interrupts.raise();
    };
    tokio::join!(hooks.ended(&ended), again);
    let warning =
        "a hook for `interrupted`: `cat > told.jsonl; echo there; sleep 600` was interrupted";
    assert_eq!(shown(&mut lab).last().map(String::as_str), Some(warning));
}

#[tokio::test]
async fn what_a_host_said_acts_on_no_terminal_that_a_hook_prints_to() {
    let lab = lab(HOOKS).await;
    let interrupts = Interrupts::listen().expect("signals");
    let context = context(&lab, &interrupts);
    let stop = Stop::new(Outcome::Failed, "no\u{1b}]0;title\u{7}\nsecond");
    let ended = Err(stop.cause("a\u{1b}[2Jb\u{202e}c"));
    Hooks::new(&context, "deploy", false).ended(&ended).await;
    let told = told(&lab).remove(0);
    assert_eq!(
        told["text"],
        "deploy of staging by alice@laptop failed: no␛]0;title␇ second"
    );
    assert_eq!(told["error"], "no␛]0;title␇\nsecond");
    assert_eq!(told["causes"][0], "a␛[2Jb\\u{202e}c");
}
