//! What must not lose one request, whatever happens to it on the way.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, HOSTS},
    project::Project,
    stage::{Stage, both_answer, deployed, failed, release},
    table::Deployed,
};

const RECIPE: &str = "recipes/flask-nanoservice.toml";

pub fn new_version(stage: &Stage) {
    stage.serve("v1");
    let old = APPS.map(lab::Host::app);
    stage.loses_nothing("a new version", |_| {
        let (deployed, events) = deployed(stage.project(), "deploy staging --set version=v2");
        let probe = events.iter().rev().find(|event| event["event"] == "probe");
        let failed = probe.map(|event| event["summary"]["failed"].clone());
        assert_eq!(failed, Some(0.into()), "what the deploy's own probe saw");
        vec![deployed]
    });
    both_answer("v2");
    for (host, old) in APPS.iter().zip(old) {
        let state = host.run(&format!(
            "docker inspect --format '{{{{.State.Status}}}} {{{{.HostConfig.RestartPolicy.Name}}}}' {old}"
        ));
        assert_eq!(
            state.trim(),
            "exited no",
            "the kept container on {}",
            host.name
        );
    }
}

pub fn rollbacks(stage: &Stage) {
    let project = stage.project();
    stage.serve("v1");
    let first = APPS.map(lab::Host::app);
    let first_release: u64 = first[0]
        .rsplit_once("-r")
        .and_then(|(_, number)| number.parse().ok())
        .expect("the release in the container's name");
    stage.serve("v2");
    let second = APPS.map(lab::Host::app);
    stage.loses_nothing("rollback: back, forth, and to a release", |_| {
        let (back, events) = deployed(project, "rollback staging");
        both_answer("v1");
        assert_eq!(
            APPS.map(lab::Host::app),
            first,
            "the kept containers came back"
        );
        let number = release(&events);

        let (forth, events) = deployed(project, "rollback");
        both_answer("v2");
        assert_eq!(
            APPS.map(lab::Host::app),
            second,
            "the kept containers came back"
        );
        assert_eq!(release(&events), number + 1, "a rollback is a release");

        let (to, _) = deployed(project, &format!("rollback staging --to r{first_release}"));
        both_answer("v1");
        vec![back, forth, to]
    });
    let history = project.ok("history staging");
    history.says(&format!("rollback to r{first_release}"));
    project
        .shipit("rollback staging --to r9999")
        .exits(3)
        .says("there is no release r9999 of `staging`");
}

pub fn kept_container_gone(stage: &Stage) {
    stage.serve("v1");
    let kept = HOST_2.app();
    stage.serve("v2");
    HOST_2.run(&format!("docker rm {kept}"));
    stage.loses_nothing("rollback on a host without the kept container", |_| {
        vec![deployed(stage.project(), "rollback staging").0]
    });
    both_answer("v1");
}

pub fn bad_canary(stage: &Stage) {
    stage.serve("v1");
    let before = APPS.map(lab::Host::app);
    let project = Project::new("bad-canary");
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
    both_answer("v1");
}

pub fn bad_last_host(stage: &Stage) {
    stage.serve("v1");
    let before = APPS.map(lab::Host::app);
    let project = Project::new("bad-last-host");
    project.edit(RECIPE, "\"60s\"", "\"6s\"");
    project.edit(
        "inventory/staging.toml",
        "version = \"latest\"",
        "version = \"v2\"",
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
    both_answer("v1");
}

pub fn crash(stage: &Stage) {
    stage.serve("v1");
    let before = APPS.map(lab::Host::app);
    stage.loses_nothing("a version that crashes", |_| {
        let (run, events) = stage
            .project()
            .events("deploy staging --set version=crash");
        run.exits(5).says("KeyError: 'DATABASE_URL'");
        // The recipe's deadline is 60 s: it is not waited for.
        let waited = between(&events, "step-started", "step-failed");
        assert!(waited < Duration::from_secs(10), "it took {waited:?}");
        failed(&run)
    });
    assert_eq!(APPS.map(lab::Host::app), before);
    both_answer("v1");
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

pub fn ten_deploys(stage: &Stage) {
    stage.serve("v1");
    stage.loses_nothing("ten deploys forth and back", |_| {
        let versions = ["v2", "v1"].iter().cycle().take(10);
        versions
            .map(|version| {
                let line = format!("deploy staging --set version={version}");
                let (deployed, _) = deployed(stage.project(), &line);
                both_answer(version);
                deployed
            })
            .collect()
    });
}

pub fn slow(stage: &Stage) {
    stage.serve("v1");
    stage.loses_nothing("an app that starts slowly (8 s)", |_| {
        vec![deployed(stage.project(), "deploy staging --set version=slow").0]
    });
    both_answer("slow");
}

pub fn deaf(stage: &Stage) {
    let project = Project::new("deaf");
    project.edit(
        RECIPE,
        "publish_all = true",
        "publish_all = true\nstop_timeout = \"3s\"",
    );
    project.ok("deploy staging --set version=deaf");
    both_answer("deaf");
    stage.loses_nothing("an app that ignores SIGTERM is replaced", |_| {
        vec![deployed(&project, "deploy staging --set version=v1").0]
    });
    both_answer("v1");
}

pub fn two_instances(stage: &Stage) {
    stage.serve("v1");
    let project = Project::new("two-instances");
    project.edit(
        RECIPE,
        "publish_all = true",
        "publish_all = true\ninstances = 2",
    );
    stage.loses_nothing("one to two instances a host, a version, and back", |_| {
        let (two, _) = deployed(&project, "deploy staging --set version=v1");
        for host in APPS {
            assert_eq!(host.apps().len(), 2, "{}", host.name);
        }
        assert_eq!(lab::answers(16).len(), 4, "all four answer");
        let (version, _) = deployed(&project, "deploy staging --set version=v2");
        let answers = lab::answers(16);
        assert_eq!(answers.len(), 4, "{answers:?}");
        assert!(
            answers.iter().all(|answer| answer.ends_with("(v2)")),
            "{answers:?}"
        );
        let (one, _) = deployed(stage.project(), "deploy staging --set version=v2");
        vec![two, version, one]
    });
    both_answer("v2");
}

pub fn app_killed(stage: &Stage) {
    stage.serve("v1");
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
        vec![deployed(stage.project(), "deploy staging --set version=v1").0]
    });
    both_answer("v1");
}

pub fn registrator(stage: &Stage) {
    stage.serve("v1");
    let project = Project::new("registrator");
    project.edit("recipes/registrator.toml", "\"60\"", "\"61\"");
    let before = APPS.map(lab::Host::app);
    let registered = lab::passing("flask-nanoservice");
    stage.loses_nothing("Registrator is replaced", |_| {
        let run = project.ok("deploy staging --set version=v1");
        failed(&run)
    });
    assert_eq!(APPS.map(lab::Host::app), before, "the apps were left alone");
    assert_eq!(lab::passing("flask-nanoservice"), registered);
    for host in APPS {
        let words = host.run("docker inspect --format '{{.Args}}' registrator");
        assert!(words.contains("61"), "{}: {words}", host.name);
    }
    both_answer("v1");
}

pub fn consul(stage: &Stage) {
    stage.serve("v1");
    let project = Project::new("consul");
    project.edit(
        "recipes/consul.toml",
        "\"-ui\",",
        "\"-ui\",\n    \"-log-level=warn\",",
    );
    let leader = lab::consul(HOST_3, "status/leader");
    let servers =
        HOSTS.map(|host| host.run("docker inspect --format '{{.Id}} {{.State.StartedAt}}' consul"));
    stage.loses_nothing("Consul is replaced, its leader among it", |_| {
        let run = project.ok("deploy staging --set version=v1");
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
    both_answer("v1");
}

pub fn consul_lacks_a_server(stage: &Stage) {
    stage.serve("v1");
    let project = Project::new("consul-lacks-a-server");
    project.edit(
        "recipes/consul.toml",
        "\"-ui\",",
        "\"-ui\",\n    \"-log-level=err\",",
    );
    HOST_3.run("docker stop --time 2 consul");
    let before = lab::everything();
    let run = project.shipit("deploy staging --set version=v1");
    let after = lab::everything();
    HOST_3.run("docker start consul");
    run.exits(3).says("Consul is not fit for this");
    assert_eq!(after, before, "nothing was changed");
    lab::eventually("Consul is whole again", Duration::from_secs(30), || {
        let leader = lab::get("http://192.168.50.103:8500/v1/status/leader")?;
        if leader.contains(":8300") {
            Ok(())
        } else {
            Err(leader)
        }
    });
}
