//! What is done to a service day by day: restarted, stopped, started.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2},
    stage::{Stage, both_answer, deployed, other as other_version},
};

pub fn restart(stage: &Stage) {
    let version = stage.now();
    let (project, before) = (stage.project(), APPS.map(lab::Host::app));
    let images = || {
        APPS.map(|host| host.run(&format!("docker inspect --format '{{{{.Image}}}}' {}", host.app())))
    };
    let image = images();
    // What the files say by now is of no concern to a restart.
    let other = stage.copy("restart");
    other.edit(
        "inventory/staging.toml",
        "version = \"latest\"",
        "version = \"bad\"",
    );
    stage.loses_nothing("restart: of all hosts, of one, and a forced deploy", |_| {
        let (all, _) = deployed(&other, "restart staging flask-nanoservice");
        let after = APPS.map(lab::Host::app);
        assert!(before.iter().zip(&after).all(|(old, new)| old != new), "{before:?} {after:?}");
        both_answer(version);

        let (one, _) = deployed(&other, "restart staging flask-nanoservice --limit host-2");
        let [on_host_1, on_host_2] = APPS.map(lab::Host::app);
        assert_eq!(on_host_1, after[0], "outside of the limit");
        assert_ne!(on_host_2, after[1]);

        let line = format!("deploy staging flask-nanoservice --force --set version={version}");
        let (forced, _) = deployed(project, &line);
        assert_ne!(APPS.map(lab::Host::app), [on_host_1, on_host_2]);
        vec![all, one, forced]
    });
    both_answer(version);
    assert_eq!(images(), image);
    let plan = project.ok(&format!("plan staging --set version={version}"));
    plan.says("nothing to do: staging is up to date");
    project.ok("history staging").says("restart");
    project
        .shipit("restart staging nothing-of-this-name")
        .exits(2)
        .says("`staging` has no recipe `nothing-of-this-name`");
}

pub fn stop_and_start(stage: &Stage) {
    let version = stage.now();
    let project = stage.project();
    let [app_1, app_2] = APPS.map(lab::Host::app);
    stage.loses_nothing("stop of one of two hosts, and its start", |_| {
        let (stop, _) = deployed(project, "stop staging flask-nanoservice --limit host-1");
        assert!(HOST_1.apps().is_empty());
        assert_eq!(HOST_2.app(), app_2);
        let (start, _) = deployed(project, "start staging flask-nanoservice");
        vec![stop, start]
    });
    both_answer(version);
    assert_eq!(APPS.map(lab::Host::app), [app_1.clone(), app_2.clone()], "the kept containers");

    let stop = project.ok("stop staging flask-nanoservice");
    stop.says("2 to stop").says("stopped");
    let again = project.ok("stop staging flask-nanoservice");
    again.says("nothing to do in staging");
    // Docker's own restart policy does not bring it back.
    for (host, app) in APPS.iter().zip([&app_1, &app_2]) {
        let format = "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}";
        let kept = host.run(&format!("docker inspect --format '{format}' {app}"));
        assert_eq!(kept.trim(), "exited no", "{app} on {}", host.name);
    }
    for line in ["status staging", "check staging"] {
        project.ok(line).says("stopped by alice@").says_not("exited with");
    }
    // A deploy of something else leaves it alone, and says nothing of it.
    let other = project.ok("deploy staging registrator");
    other.says("nothing to do").says_not("does not run");
    project
        .ok("restart staging flask-nanoservice")
        .says("and stays so")
        .says("nothing to do in staging");
    let plan = project.ok(&format!("plan staging --set version={version}"));
    plan.says("2 to start").says("stopped by alice@");

    project.ok("start staging flask-nanoservice").says("serving");
    both_answer(version);
    assert_eq!(APPS.map(lab::Host::app), [app_1.clone(), app_2.clone()]);
    project.ok("status staging").says_not("stopped by");
    // The next deploy starts it as well, and a rollback goes past all that, to another version.
    project.ok("stop staging flask-nanoservice");
    project.ok(&format!("deploy staging --set version={version}"));
    both_answer(version);
    assert_eq!(APPS.map(lab::Host::app), [app_1, app_2]);
    project.ok("check staging").says_not("stopped by");
    stage.serve(other_version(version));
    project.ok("stop staging flask-nanoservice --limit host-2");
    project.ok("rollback staging");
    both_answer(version);
}
