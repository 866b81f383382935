//! What must not lose one request, whatever happens to it on the way.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, HOSTS, of_recipe},
    project::Project,
    stage::{Stage, both_answer, deployed, failed, other, release},
    table::Deployed,
};

const RECIPE: &str = "recipes/flask-nanoservice.toml";

pub fn ten_deploys(stage: &Stage) {
    let at_once = stage.copy("both-at-once");
    at_once.edit(RECIPE, "max_parallel = 1", "max_parallel = \"100%\"");
    at_once.edit(RECIPE, "canary = 1", "canary = 0");
    // The deploy's own requests, through a host's SSH connection for once.
    at_once.edit(RECIPE, "budget = 0", "budget = 0\nthrough = \"host-1\"");
    stage.loses_nothing("ten deploys: four of one host after the other", |_| {
        (0..4).map(|_| forth(stage, stage.project())).collect()
    });
    stage.loses_nothing("ten deploys: six of both hosts at once", |_| {
        (0..6).map(|_| forth(stage, &at_once)).collect()
    });
}

/// Deploys the other version.
#[track_caller]
fn forth(stage: &Stage, project: &Project) -> Deployed {
    let (old, new) = (APPS.map(lab::Host::app), other(stage.now()));
    let line = format!("deploy staging --set version={new}");
    let (deployed, events) = deployed(project, &line);
    both_answer(new);
    let probe = events.iter().rev().find(|event| event["event"] == "probe");
    let failed = probe.map(|event| event["summary"]["failed"].clone());
    assert_eq!(failed, Some(0.into()), "what the deploy's own probe saw");
    // Kept for a rollback, and not raised by a reboot.
    for (host, old) in APPS.iter().zip(old) {
        let format = "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}";
        let kept = host.run(&format!("docker inspect --format '{format}' {old}"));
        assert_eq!(kept.trim(), "exited no", "{old} on {}", host.name);
    }
    deployed
}

/// The containers of the app that are kept on a host.
#[track_caller]
fn kept(host: lab::Host) -> Vec<String> {
    let stopped = of_recipe("staging", "flask-nanoservice") + " --filter status=exited";
    host.containers(&format!("--all {stopped}"))
}

/// The version that serves, of a release before which there is one of the other.
#[track_caller]
fn second_release(stage: &Stage) -> &'static str {
    let version = stage.now();
    let plan = stage.project().shipit("rollback staging --dry-run");
    if plan.code == Some(0) && plan.text.contains("2 to replace") && !kept(HOST_2).is_empty() {
        return version;
    }
    stage.serve(other(version));
    other(version)
}

pub fn rollbacks(stage: &Stage) {
    let version = second_release(stage);
    let (project, first) = (stage.project(), APPS.map(lab::Host::app));
    stage.loses_nothing("rollback: back, forth, and to a release", |_| {
        let (back, events) = deployed(project, "rollback staging");
        both_answer(other(version));
        let (number, second) = (release(&events), APPS.map(lab::Host::app));

        let (forth, events) = deployed(project, "rollback");
        both_answer(version);
        assert_eq!(APPS.map(lab::Host::app), first, "the kept containers");
        assert_eq!(release(&events), number + 1, "a rollback is a release");

        let (to, _) = deployed(project, &format!("rollback staging --to r{number}"));
        both_answer(other(version));
        assert_eq!(APPS.map(lab::Host::app), second, "the kept containers");
        let history = project.ok("history staging");
        history.says(&format!("rollback to r{number}"));
        vec![back, forth, to]
    });
    project
        .shipit("rollback staging --to r9999")
        .exits(3)
        .says("there is no release r9999 of `staging`");
}

pub fn kept_container_gone(stage: &Stage) {
    let version = second_release(stage);
    HOST_2.run(&format!("docker rm {}", kept(HOST_2).join(" ")));
    stage.loses_nothing("rollback on a host without the kept container", |_| {
        vec![deployed(stage.project(), "rollback staging").0]
    });
    both_answer(other(version));
}

pub fn bad_canary(stage: &Stage) {
    let version = stage.now();
    let before = APPS.map(lab::Host::app);
    let project = stage.copy("bad-canary");
    project.edit(RECIPE, "\"60s\"", "\"6s\"");
    stage.loses_nothing("a bad version at the canary", |_| {
        let run = project.shipit("deploy staging --set version=bad");
        run.exits(5)
            .says("error: deploy of `flask-nanoservice` r")
            .says("GET /health answered 500: not well")
            .says("last lines of `flask-nanoservice-r")
            .says("Listening at: http://0.0.0.0:5000")
            .says("hint: `shipit logs staging flask-nanoservice --release r");
        failed(&run)
    });
    assert_eq!(APPS.map(lab::Host::app), before);
    both_answer(version);
    // As `shipit deploy … || shipit rollback` would: what serves now is the good one, so nothing goes.
    let back = stage.project().ok("rollback staging");
    back.says(" is already running, as r")
        .says(" failed and was reverted")
        .says("` goes further back");
    assert_eq!(APPS.map(lab::Host::app), before);
}

pub fn bad_last_host(stage: &Stage) {
    let version = stage.now();
    let before = APPS.map(lab::Host::app);
    let project = stage.copy("bad-last-host");
    // The good one on the first host needs its time too.
    project.edit(RECIPE, "\"60s\"", "\"20s\"");
    project.edit(
        "inventory/staging.toml",
        "version = \"latest\"",
        &format!("version = \"{}\"", other(version)),
    );
    project.edit(
        "inventory/staging.toml",
        "address = \"192.168.50.102\", ",
        "address = \"192.168.50.102\", vars = { version = \"bad\" }, ",
    );
    stage.loses_nothing("a bad version at the last host", |_| {
        let run = project.shipit("deploy staging");
        run.exits(5)
            .says("GET /health answered 500: not well")
            .says("serving (reverted)");
        failed(&run)
    });
    assert_eq!(
        APPS.map(lab::Host::app),
        before,
        "every host has what it had"
    );
    both_answer(version);
}

pub fn crash(stage: &Stage) {
    let version = stage.now();
    let before = APPS.map(lab::Host::app);
    stage.loses_nothing("a version that crashes", |_| {
        let (run, events) = stage.project().events("deploy staging --set version=crash");
        run.exits(5).says("KeyError: 'DATABASE_URL'");
        // The recipe's deadline is 60 s: it is not waited for.
        let waited = between(&events, "step-started", "step-failed");
        assert!(waited < Duration::from_secs(50), "it took {waited:?}");
        failed(&run)
    });
    assert_eq!(APPS.map(lab::Host::app), before);
    both_answer(version);
}

/// From the first event of one kind in the app's rollout to the first of another.
fn between(events: &[Value], first: &str, second: &str) -> Duration {
    let at = |kind: &str| {
        let of_rollout = events
            .iter()
            .find(|event| event["event"] == kind && event["recipe"] == "flask-nanoservice");
        let at = of_rollout.and_then(|event| event["at"].as_str()?.parse::<Timestamp>().ok());
        at.unwrap_or_else(|| panic!("no {kind} in {events:?}"))
    };
    at(second)
        .duration_since(at(first))
        .try_into()
        .expect("one comes after the other")
}

pub fn slow(stage: &Stage) {
    let version = stage.now();
    stage.loses_nothing("an app that starts slowly (8 s)", |_| {
        let line = "deploy staging --set version=slow --limit host-1";
        vec![deployed(stage.project(), line).0]
    });
    assert_eq!(lab::who_answers(2).len(), 2);
    stage.serve(version);
}

pub fn deaf(stage: &Stage) {
    let version = stage.now();
    let project = stage.copy("deaf");
    project.edit(
        RECIPE,
        "publish_all = true",
        "publish_all = true\nstop_timeout = \"3s\"",
    );
    stage.loses_nothing("an app that ignores SIGTERM comes and goes", |_| {
        let line = "deploy staging --set version=deaf --limit host-2";
        let (comes, _) = deployed(&project, line);
        assert!(
            lab::who_answers(2)
                .iter()
                .any(|answer| answer.contains("(deaf)"))
        );
        let line = format!("deploy staging --set version={version} --limit host-2");
        let (goes, _) = deployed(&project, &line);
        vec![comes, goes]
    });
    stage.serve(version);
}

pub fn two_instances(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = stage.copy("two-instances");
    project.edit(
        RECIPE,
        "publish_all = true",
        "publish_all = true\ninstances = 2",
    );
    stage.loses_nothing("a new version in two instances a host, back to one", |_| {
        let (two, _) = deployed(&project, &format!("deploy staging --set version={new}"));
        for host in APPS {
            assert_eq!(host.apps().len(), 2, "{}", host.name);
        }
        let answers = lab::who_answers(4);
        assert_eq!(answers.len(), 4, "all four answer: {answers:?}");
        let (one, _) = deployed(
            stage.project(),
            &format!("deploy staging --set version={new}"),
        );
        vec![two, one]
    });
    both_answer(new);
}

pub fn app_killed(stage: &Stage) {
    let version = stage.now();
    let name = HOST_1.app();
    stage.loses_nothing("an app container is killed outside any deploy", |load| {
        // A POST that the killed container had already taken is lost to everyone: it may not be sent twice.
        load.between_posts(|| HOST_1.run(&format!("docker kill -s KILL {name}")));
        lab::eventually("Consul drops it", Duration::from_secs(20), || {
            let passing = lab::passing("flask-nanoservice");
            if passing.len() == 1 {
                Ok(())
            } else {
                Err(format!("{passing:?}"))
            }
        });
        vec![
            deployed(
                stage.project(),
                &format!("deploy staging --set version={version}"),
            )
            .0,
        ]
    });
    both_answer(version);
}

pub fn over_budget(stage: &Stage) {
    let version = stage.now();
    let before = APPS.map(lab::Host::app);
    let project = stage.copy("over-budget");
    project.edit(RECIPE, "env = { ", "env = { ANSWER = \"500\", ");
    // Well by its health check, so that only requests can tell.
    let tally = stage.measure("a version that fails only its requests", |_| {
        let run = project.shipit(&format!("deploy staging --set version={}", other(version)));
        run.exits(5)
            .says("probe requests failed")
            .says("GET / answered 500")
            .says("serving (reverted)")
            .says("untouched");
        failed(&run)
    });
    assert!(tally.lost() > 0, "{tally:?}");
    assert_eq!(APPS.map(lab::Host::app), before);
    both_answer(version);
}

pub fn registrator(stage: &Stage) {
    let version = stage.now();
    let project = stage.project();
    project.edit("recipes/registrator.toml", "\"60\"", "\"61\"");
    let before = APPS.map(lab::Host::app);
    let registered = lab::passing("flask-nanoservice");
    stage.loses_nothing("Registrator is replaced", |_| {
        let run = project.ok(&format!("deploy staging --set version={version}"));
        failed(&run)
    });
    assert_eq!(APPS.map(lab::Host::app), before, "the apps were left alone");
    assert_eq!(lab::passing("flask-nanoservice"), registered);
    for host in APPS {
        let words = host.run("docker inspect --format '{{.Args}}' registrator");
        assert!(words.contains("61"), "{}: {words}", host.name);
    }
    both_answer(version);
}

pub fn consul(stage: &Stage) {
    let version = stage.now();
    let project = stage.project();
    project.edit(
        "recipes/consul.toml",
        "\"-ui\",",
        "\"-ui\",\n    \"-log-level=warn\",",
    );
    let leader = lab::consul(HOST_3, "status/leader");
    let servers =
        HOSTS.map(|host| host.run("docker inspect --format '{{.Id}} {{.State.StartedAt}}' consul"));
    stage.loses_nothing("Consul is replaced, its leader among it", |_| {
        let run = project.ok(&format!("deploy staging --set version={version}"));
        vec![Deployed::from(&run)]
    });
    for (host, before) in HOSTS.iter().zip(servers) {
        let now = host.run("docker inspect --format '{{.Id}} {{.State.StartedAt}}' consul");
        assert_ne!(now, before, "the server on {}", host.name);
    }
    let peers = lab::consul(HOST_1, "status/peers");
    assert_eq!(peers.as_array().map(Vec::len), Some(3), "{peers}");
    let now = lab::consul(HOST_3, "status/leader");
    assert_ne!((leader.as_str(), now.as_str()), (None, None));
    both_answer(version);
}

pub fn consul_lacks_a_server(stage: &Stage) {
    let version = stage.now();
    let project = stage.copy("consul-lacks-a-server");
    project.edit(
        "recipes/consul.toml",
        "\"-ui\",",
        "\"-ui\",\n    \"-log-level=err\",",
    );
    HOST_3.run("docker stop --time 2 consul");
    let before = lab::everything();
    let run = project.shipit(&format!("deploy staging --set version={version}"));
    let after = lab::everything();
    HOST_3.run("docker start consul");
    run.exits(3).says("Consul is not ready");
    assert_eq!(after, before, "nothing was changed");
    lab::eventually("Consul is whole again", Duration::from_secs(30), || {
        let leader = lab::get(&lab::here("http://192.168.50.103:8500/v1/status/leader"))?;
        if leader.contains(":8300") {
            Ok(())
        } else {
            Err(leader)
        }
    });
}
