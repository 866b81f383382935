//! What is done to a service day by day: restarted, stopped, started.

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, of_recipe},
    stage::{Stage, both_answer, deployed, other as other_version},
};

pub fn restart(stage: &Stage) {
    let version = stage.now();
    let (project, before) = (stage.project(), APPS.map(lab::Host::app));
    let images = || {
        APPS.map(|host| {
            host.run(&format!(
                "docker inspect --format '{{{{.Image}}}}' {}",
                host.app()
            ))
        })
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
        assert!(
            before.iter().zip(&after).all(|(old, new)| old != new),
            "{before:?} {after:?}"
        );
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
    project
        .ok("rollback staging --dry-run")
        .says(" is already running: r")
        .says(" brought no other version");
    project.ok("history staging").says("restart");
    project
        .shipit("restart staging nothing-of-this-name")
        .exits(2)
        .says("`staging` has no recipe `nothing-of-this-name`");
}

pub fn one_off(stage: &Stage) {
    let old = stage.now();
    let new = other_version(old);
    let project = stage.copy("one-off");
    let app = "recipes/flask-nanoservice.toml";
    let recipe = std::fs::read_to_string(project.path(app)).expect("the recipe");
    let migrates = |script: &str, more: &str| {
        let before = format!(
            "[[before]]\nin = \"new\"\nonce = true\nname = \"migrate\"\ncommand = [\"sh\", \"-c\", '''{script}''']\n{more}"
        );
        project.write(app, &format!("{recipe}\n{before}"));
    };
    let version = format!("deploy staging --set version={new}");
    let left = "--filter label=shipit.one-off";
    let before = APPS.map(lab::Host::app);
    let services = lab::passing("flask-nanoservice");

    // A migration that fails is the end before anything was touched.
    migrates(
        "echo at version $VERSION; echo no such table >&2; exit 3",
        "",
    );
    project
        .shipit(&version)
        .exits(1)
        .says("a `before` command failed on `host-1`")
        .says("failed with status 3")
        .says("| no such table")
        .says(&format!("at version {new}"));
    assert_eq!(APPS.map(lab::Host::app), before);
    assert_eq!(HOST_1.containers(left), [""; 0]);

    // One that is at work when its deployer is killed goes on alone until the next run.
    migrates("trap 'exit 1' TERM; echo working; sleep 600 & wait", "");
    let mut doomed = project.start(&version);
    doomed.wait_for("working");
    assert_eq!(HOST_1.containers(left).len(), 1);
    assert_eq!(
        lab::passing("flask-nanoservice"),
        services,
        "none is registered"
    );
    doomed.signal("KILL");
    doomed.finish();
    assert_eq!(HOST_1.containers(left).len(), 1);
    migrates(
        "test \"$SERVICE_NAME\" = flask-nanoservice && echo of {{image}}",
        "",
    );
    stage.loses_nothing("a migration in the new image, then the rollout", |_| {
        let run = project.ok(&version);
        run.says("of a run that was cut off")
            .says("| of ")
            .says("serving");
        crate::stage::failed(&run)
    });
    both_answer(new);
    assert_eq!(HOST_1.containers(left), [""; 0]);
    assert_ne!(APPS.map(lab::Host::app), before);

    // One that takes too long is stopped, and so is one whose deployer is told to stop at once.
    migrates("trap 'exit 1' TERM; sleep 600 & wait", "timeout = \"2s\"\n");
    let back = format!("deploy staging --set version={old}");
    project.shipit(&back).exits(1).says("timed out after 2");
    assert_eq!(HOST_1.containers(left), [""; 0]);
    migrates("trap 'exit 1' TERM; echo working; sleep 600 & wait", "");
    let mut run = project.start(&back);
    run.wait_for("working");
    run.signal("INT");
    run.wait_for("interrupt again to stop now");
    run.signal("INT");
    run.finish().exits(130);
    assert_eq!(HOST_1.containers(left), [""; 0]);
    both_answer(new);
    // Without a migration again: it is a part of the spec.
    stage.serve(new);
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
    assert_eq!(
        APPS.map(lab::Host::app),
        [app_1.clone(), app_2.clone()],
        "the kept containers"
    );

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
        project
            .ok(line)
            .says("stopped by alice@")
            .says_not("exited with");
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

    project
        .ok("start staging flask-nanoservice")
        .says("serving");
    both_answer(version);
    assert_eq!(APPS.map(lab::Host::app), [app_1.clone(), app_2.clone()]);
    project.ok("status staging").says_not("stopped by");
    // The next deploy starts it as well, and a rollback goes past all that, to another version.
    // One host after the other: the balancer keeps the last one in its list, and has no other.
    for host in ["host-1", "host-2"] {
        project
            .ok(&format!("stop staging flask-nanoservice --limit {host}"))
            .says("stopped");
    }
    project.ok(&format!("deploy staging --set version={version}"));
    both_answer(version);
    assert_eq!(APPS.map(lab::Host::app), [app_1, app_2]);
    project.ok("check staging").says_not("stopped by");
    stage.serve(other_version(version));
    project.ok("stop staging flask-nanoservice --limit host-2");
    project.ok("rollback staging");
    both_answer(version);
}

pub fn accessory(stage: &Stage) {
    stage.serve("v1");
    let project = stage.copy("accessory");
    project.write(
        "inventory/shop.toml",
        "extends = \"staging\"\nrecipes = [\"cache\", \"shop\"]\n\n[vars]\ncache_version = \"v1\"\n",
    );
    let recipe = |name: &str, version: &str, more: &str| {
        let text = format!(
            "hosts = \"host-1\"\n\n[container]\nimage = \"{{{{flask_image}}}}:{{{{{version}}}}}\"\n\
             publish_all = true\nenv = {{ SERVICE_NAME = \"{name}\" }}\n{more}\n[ready]\nhttp = \"/health\"\n\n[rollout]\nhealthy_deadline = \"15s\"\nmin_healthy_time = \"0s\"\n",
        );
        project.write(&format!("recipes/{name}.toml"), &text);
    };
    recipe("cache", "cache_version", "accessory = true\n");
    recipe("shop", "version", "");
    let runs = |name: &str| HOST_1.containers(&of_recipe("shop", name));

    // The first deploy starts it, and the failure of another recipe does not take it back.
    let failed = project.shipit("deploy shop --set version=bad");
    failed.exits(1).says("cache").says("serving");
    let cache = runs("cache");
    assert_eq!((cache.len(), runs("shop").len()), (1, 0));
    project.ok("deploy shop --set version=v1");
    assert_eq!(runs("cache"), cache);

    let change = "--set version=v2 --set cache_version=v2";
    let left = project.ok(&format!("deploy shop {change}"));
    left.says("`cache` has changed on `host-1` and is left alone")
        .says("shipit deploy shop cache")
        .says("1 to replace");
    assert_eq!(runs("cache"), cache);
    let again = project.ok(&format!("plan shop {change}"));
    again.says("left alone").says("nothing to do");
    let named = project.ok(&format!("deploy shop cache {change}"));
    named.says("1 to replace").says_not("left alone");
    assert_ne!(runs("cache"), cache);

    let cache = runs("cache");
    project.ok("rollback shop").says("left alone");
    assert_eq!(runs("cache"), cache);

    project
        .ok("down shop --yes")
        .says("the accessory `cache` stays");
    assert_eq!((runs("cache"), runs("shop").len()), (cache, 0));
    project.ok("down shop --yes --accessory cache");
    for what in ["docker ps -aq", "docker volume ls -q"] {
        let left = HOST_1.run(&format!("{what} --filter label=shipit.environment=shop"));
        assert_eq!(left, "", "{what}");
    }
}

pub fn wait_for_the_lock(stage: &Stage) {
    let old = stage.now();
    let new = other_version(old);
    let project = stage.project();
    let mut first = project.start(&format!("deploy staging --set version={new}"));
    first.wait_for("deploying");
    let line = format!("deploy staging --set version={old}");
    project
        .shipit(&format!("{line} --wait 1s"))
        .exits(4)
        .says("`staging` is being changed by alice@")
        .says("waited 1s for it");
    let second = project.ok(&format!("{line} --wait 5m"));
    second
        .says("waiting up to 5m for the lock: `staging` is being changed by alice@")
        .says("2 to replace");
    first.finish().exits(0);
    both_answer(old);
}
