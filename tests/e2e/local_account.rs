//! An account of the lock's host that may not use docker, and what it can do to the lock: nothing, or be named.

use crate::{
    lab::HOST_1,
    project::{Project, Run},
    stage::Stage,
};

const LOCK: &str = "/tmp/shipit-local.lock";

/// A command that takes as long as it is held up, and leaves a mark if another one of its kind runs meanwhile.
const SLOW: &str = r#"
hosts = "host-1"

[[commands]]
run = "mkdir /var/tmp/e2e-runs || touch /var/tmp/e2e-two; sleep 0.5; for i in $(seq 600); do [ -e /var/tmp/e2e-go ] && break; sleep 0.1; done; rmdir /var/tmp/e2e-runs"
"#;

/// A project that deploys nothing, as the lab's account in docker's group.
fn in_dockers_group(stage: &Stage) -> Project {
    let project = stage.copy("local");
    project.write(
        "inventory/local.toml",
        "extends = \"staging\"\nrecipes = [\"slow\"]\n",
    );
    project.write("recipes/slow.toml", SLOW);
    project
}

/// The same through sudo, by an account that docker does not let in.
fn through_sudo(stage: &Stage) -> Project {
    let project = in_dockers_group(stage).copy("local-sudo");
    project.edit(
        "inventory/staging.toml",
        "user = \"vagrant\"",
        "user = \"sudoer\"\nbecome = true",
    );
    project
}

/// What the account types; what it prints, errors too.
#[track_caller]
fn mallory(script: &str) -> String {
    HOST_1.run(&format!("sudo -u nodocker sh -c '{script}' 2>&1 || true"))
}

/// What goes on when `sudo` has ended, which may end what is in its session.
fn in_background(command: &str) -> String {
    format!("setsid {command} >/dev/null 2>&1 </dev/null & sleep 1")
}

/// Brings about that nobody has locked anything on the host yet, as after a reboot.
fn afresh() {
    HOST_1.run(&format!(
        "sudo pkill -u nodocker || true; sudo rm -rf /run/shipit {LOCK} /var/tmp/e2e-*"
    ));
    HOST_1.run(
        "echo precious | sudo tee /var/tmp/e2e-precious >/dev/null; sudo touch /var/tmp/e2e-go",
    );
}

#[track_caller]
fn nothing_was_written_through_a_link() {
    assert_eq!(HOST_1.run("cat /var/tmp/e2e-precious"), "precious\n");
}

/// Starts one, types the other meanwhile, which must be refused, and returns that.
#[track_caller]
fn meanwhile(first: &Project, second: &Project) -> Run {
    HOST_1.run("sudo rm /var/tmp/e2e-go");
    let mut running = first.start("run local slow -v");
    running.wait_for("mkdir /var/tmp/e2e-runs");
    let refused = second.shipit("run local slow");
    HOST_1.run("sudo touch /var/tmp/e2e-go");
    running.finish().exits(0);
    refused.exits(4);
    refused
}

pub fn in_the_way(stage: &Stage) {
    let (group, sudo) = (in_dockers_group(stage), through_sudo(stage));
    afresh();

    // What it puts in the way is not followed, and without a folder of root's it is named.
    mallory(&format!("ln -s /var/tmp/e2e-precious {LOCK}"));
    group
        .shipit("run local slow")
        .exits(3)
        .says("is of the account `nodocker`, which may not use docker")
        .says(&format!("`sudo rm {LOCK}`"));
    // Nor is a file of its own locked, which it could take away again, and let a second run in.
    mallory(&format!("rm {LOCK}; umask 0; : >{LOCK}"));
    group
        .shipit("run local slow")
        .exits(3)
        .says("is of the account `nodocker`");
    // Root makes the folder, for docker's group too, and what lies elsewhere is in nobody's way any more.
    sudo.ok("run local slow");
    assert_eq!(
        HOST_1.run("stat -c '%U %G %a' /run/shipit"),
        "root docker 2770\n"
    );
    group.ok("run local slow");
    meanwhile(&group, &sudo)
        .says("is being changed by alice@")
        .says("as `vagrant` on `host-1`");
    meanwhile(&sudo, &group).says("as `root` on `host-1`");
    nothing_was_written_through_a_link();

    // Without the folder: the file is of docker's group alone.
    afresh();
    group.ok("run local slow");
    assert_eq!(
        HOST_1.run(&format!("stat -c '%U %G %a' {LOCK}")),
        "vagrant docker 660\n"
    );
    for attempt in [
        format!("flock -n {LOCK} echo held"),
        format!("exec 9<{LOCK} && flock -n 9 && echo held"),
        format!("echo bob >{LOCK}"),
        format!("rm -f {LOCK}"),
        format!("ln -sfT /var/tmp/e2e-precious {LOCK}"),
    ] {
        let said = mallory(&attempt);
        assert!(!said.contains("held"), "{attempt}: {said}");
    }
    meanwhile(&group, &sudo)
        .says("is being changed by alice@")
        .says("as `vagrant` on `host-1`");

    // An older shipit left it open to everyone: who holds it up is named, and goes on in vain where root deploys.
    afresh();
    HOST_1.run(&format!("umask 0; echo alice@laptop >{LOCK}"));
    let hold = "perl -e \"open F, q(<), q(/tmp/shipit-local.lock); flock F, 2; sleep 60\"";
    mallory(&in_background(hold));
    group
        .shipit("run local slow")
        .exits(3)
        .says("the account `nodocker` of `host-1`, which may not use docker, keeps")
        .says("sudo kill ");
    sudo.ok("run local slow");
    group.ok("run local slow");
    afresh();
}

pub fn races(stage: &Stage) {
    let (group, sudo) = (in_dockers_group(stage), through_sudo(stage));
    afresh();
    // It makes the file, links it elsewhere and takes it away again, as often as it can. `:` would do for `true`, but
    // a shell ends when what it writes to is refused.
    let turn = format!(
        "ln -sT /var/tmp/e2e-precious {LOCK}; rm -f {LOCK}; true >>{LOCK}; rm -f {LOCK}; mkfifo {LOCK}; rm -f {LOCK}"
    );
    mallory(&in_background(&format!(
        "timeout 300 sh -c \"while :; do {turn}; done\""
    )));
    let mut ran = 0;
    for _ in 0..4 {
        let runs = [&group, &sudo, &group, &sudo].map(|project| project.start("run local slow"));
        for run in runs {
            let run = run.finish();
            assert!([Some(0), Some(3), Some(4)].contains(&run.code), "{run:?}");
            ran += i32::from(run.code == Some(0));
        }
    }
    assert!(ran > 0, "none came through");
    // It was at it all the time.
    HOST_1.run("pgrep -u nodocker");
    assert_eq!(
        HOST_1.run("ls /var/tmp | grep e2e-two || true"),
        "",
        "two at once"
    );
    nothing_was_written_through_a_link();
    afresh();
}
