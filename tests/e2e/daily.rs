//! What is done to a service day by day: restarted, stopped, started.

use crate::{
    lab::{self, APPS},
    stage::{Stage, both_answer, deployed},
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
