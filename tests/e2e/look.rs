//! What looks at an environment every day: `status`, `history`, `show`, `diff`, `logs`; and `prune`.

use crate::{
    lab::{self, APPS, HOST_1, HOSTS},
    stage::{Stage, both_answer, other},
    terminal::Terminal,
};

const APP: &str = "flask-nanoservice";

/// The number of the newest release.
fn newest(stage: &Stage) -> u64 {
    let (_, events) = stage.project().events("history staging -n 1");
    let history = events.iter().find(|event| event["event"] == "history");
    let release = history.expect("a history")["releases"][0]["release"].clone();
    let number = release.as_str().and_then(|it| it.strip_prefix('r'));
    number.and_then(|it| it.parse().ok()).expect("a number")
}

pub fn releases(stage: &Stage) {
    let (new, project) = (stage.now(), &stage.quick("releases"));
    let old = other(new);
    stage.serve(old);
    project.ok(&format!(
        "deploy staging --set version={new} -m \"the new cart\""
    ));
    both_answer(new);
    let number = newest(stage);
    let history = project.ok("history staging -n 1");
    history
        .says(&format!("{APP} {old} → {new}"))
        .says("“the new cart”");
    project
        .ok(&format!("show staging r{number}"))
        .says("succeeded")
        .says("the new cart")
        .says("alice@")
        .says(&format!("{APP}  shipit-lab/{APP}:{new}"))
        .says("serving");
    let before = number - 1;
    for line in [
        format!("diff staging r{before} r{number}"),
        format!("diff r{before} {number}"),
        format!("diff staging r{before}"),
    ] {
        let diff = project.ok(&line);
        diff.says(&format!("{APP} on host-1, host-2"))
            .says(&format!(":{old} "))
            .says(&format!(":{new} "))
            .says("no difference: ");
    }
    let same = project.ok(&format!("diff staging r{number}"));
    same.says("→ what runs now").says_not("image");
    project
        .shipit("show staging r999999")
        .exits(1)
        .says("has no record of r999999");

    // A release that failed says why, also in the first line of the status.
    let soon = stage.copy("look-bad");
    soon.edit("recipes/flask-nanoservice.toml", "\"60s\"", "\"6s\"");
    soon.shipit("deploy staging --set version=bad").exits(5);
    let failed = newest(stage);
    let status = project.ok("status staging");
    let first = status
        .text
        .lines()
        .find(|line| line.contains("was reverted"));
    let first = first.expect("that it was reverted");
    assert!(
        first.starts_with(&format!("r{failed} was reverted ")),
        "{first}"
    );
    assert!(first.contains("was not ready within 6s"), "{first}");
    project
        .ok(&format!("show staging r{failed}"))
        .says("was not ready within 6s")
        .says("serving (reverted)")
        .says("untouched");
    // Until another one succeeds.
    stage.serve(old);
    let status = project.ok("status staging");
    status.says_not("was reverted");
}

pub fn status(stage: &Stage) {
    let (version, project) = (other(stage.now()), &stage.quick("status"));
    stage.serve(version);
    lab::answers(4);
    let status = project.ok("status staging");
    let row = status.text.lines().find(|line| line.starts_with(APP));
    let row = row.unwrap_or_else(|| panic!("{}", status.text));
    for part in ["host-1, host-2", version, "running", "passing", "dr-con"] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let consul = status.text.lines().find(|line| line.starts_with("consul "));
    assert!(
        consul.is_some_and(|row| row.contains("leader")),
        "{}",
        status.text
    );
    project
        .ok("status staging --wide")
        .says(&HOST_1.app())
        .says(&format!("shipit-lab/{APP}:{version}"));
    let (_, events) = project.events("status staging");
    let event = events.iter().find(|event| event["event"] == "status");
    let instances = event.expect("a status")["instances"].clone();
    let apps: Vec<_> = instances
        .as_array()
        .expect("instances")
        .iter()
        .filter(|it| it["recipe"] == APP)
        .collect();
    assert_eq!(apps.len(), 2, "{instances}");
    for app in apps {
        assert_eq!(app["routes"][0]["routed"], true, "{app}");
        assert_eq!(app["consul_health"], "passing", "{app}");
    }

    // One that is killed no longer agrees; on a terminal that is seen while one watches.
    let mut watching = Terminal::open(project, "status staging --watch");
    watching.wait_for("host-1, host-2");
    HOST_1.run(&format!("docker kill {}", HOST_1.app()));
    watching.wait_for("exited (137)");
    drop(watching);
    project.ok("status staging").says("exited (137)");
    stage.serve(version);
}

pub fn logs(stage: &Stage) {
    let (old, project) = (stage.now(), &stage.quick("logs"));
    let new = other(old);
    lab::answers(4);
    let both = project.ok(&format!("logs staging {APP} dr-con -n 2"));
    both.says(&HOST_1.app()).says("host-3  dr-con");
    let found = project.ok(&format!(
        "logs staging {APP} --grep Listening --since 365d -q"
    ));
    for line in found.text.lines().filter(|line| line.starts_with("host-")) {
        assert!(line.contains("Listening"), "{line}");
    }
    found.says("Listening");
    project
        .ok(&format!("logs staging {APP} --until 2020-01-01 -q"))
        .says_not("host-1 ");
    let stamped = project.ok(&format!("logs {APP} -t -n 1"));
    stamped.says("Z ");

    // Following goes on when the containers are replaced.
    let before = HOST_1.app();
    let mut following = project.start(&format!("logs staging {APP} -f -n 1"));
    following.wait_for(&format!("host-1  {before}"));
    project.ok(&format!("deploy staging --set version={new}"));
    both_answer(new);
    let fresh = HOST_1.app();
    following.wait_for(&format!("host-1  {fresh}"));
    following.signal("INT");
    following.finish().exits(0);
}

pub fn prune(stage: &Stage) {
    let project = stage.quick("prune");
    let inventory = std::fs::read_to_string(project.path("inventory/staging.toml"));
    let inventory = inventory.expect("the inventory") + "\n[releases]\nkeep = 2\n";
    // Of each version the newest container is kept: the third is what `keep = 2` has no place for.
    for version in ["v3", "v1", "v2", "v1", "v2"] {
        project.ok(&format!("deploy staging {APP} --set version={version}"));
    }
    for host in HOSTS {
        host.run("docker volume create kept-by-prune");
    }
    let serving = APPS.map(lab::Host::app);
    project.write("inventory/staging.toml", &inventory);
    let before = lab::everything();
    project
        .ok("prune staging --dry-run")
        .says("would remove")
        .says("record");
    assert_eq!(lab::everything(), before, "nothing was changed");
    project
        .ok("prune staging")
        .says(" removed: ")
        .says("freed")
        .says("pruned staging in");
    project.ok("prune staging").says("nothing to do");
    assert_eq!(APPS.map(lab::Host::app), serving);
    for host in HOSTS {
        let volumes = host.run("docker volume ls --quiet --filter name=kept-by-prune");
        assert_eq!(volumes.trim(), "kept-by-prune");
        host.run("docker volume rm kept-by-prune");
    }
    project.ok("rollback staging --dry-run");
    stage.serve("v1");
}
