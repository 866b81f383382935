//! What looks at an environment and operates it.

use std::{fs, process::Command, time::Duration};

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3},
    stage::Stage,
    terminal::Terminal,
};

pub fn look(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    let app = HOST_1.app();
    let status = project.ok("status staging --wide");
    status
        .says("running")
        .says(&app)
        .says("consul")
        .says("dr-con");
    let endpoint = lab::passing("flask-nanoservice")
        .into_iter()
        .find(|endpoint| endpoint.starts_with(&HOST_1.address()));
    status.says(&endpoint.expect("the app on host-1"));
    status.says_not("missing");

    let history = project.ok("history staging");
    history
        .says("RELEASE")
        .says("\nr")
        .says("succeeded")
        .says("alice@");

    lab::answers(4);
    let logs = project.ok("logs staging flask-nanoservice");
    logs.says("host-1")
        .says("host-2")
        .says("Listening at: http://0.0.0.0:5000");
    let one = project.ok("logs staging flask-nanoservice --host host-2 -n 1");
    one.says_not("host-1 ");
    // What follows ends with its reader, at the next line that it would have shown.
    let first = project.path("first-line");
    let reader = format!("head -n 1 >'{}'", first.display());
    let mut following = project.piped("logs staging dr-con --follow -n 1", &reader);
    lab::eventually("a line is shown", Duration::from_secs(20), || {
        let line = fs::read_to_string(&first).unwrap_or_default();
        if line.ends_with('\n') {
            Ok(())
        } else {
            Err(format!("`{line}`"))
        }
    });
    lab::eventually("it ends with its reader", Duration::from_secs(20), || {
        lab::answers(1);
        let ended = following.try_wait().expect("its state");
        ended.map(drop).ok_or_else(|| "it follows still".to_owned())
    });
    project
        .shipit("logs staging flask-nanoservice --release r999")
        .exits(1)
        .says("no host has a container of r999 of `flask-nanoservice`");
}

pub fn exec(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    let run = project.ok("exec staging -- hostname");
    for host in ["host-1", "host-2", "host-3"] {
        assert!(
            run.text
                .lines()
                .any(|line| line.starts_with(host) && line.trim_end().ends_with(host)),
            "{}",
            run.text
        );
    }
    // Words reach the command as they are.
    let run =
        project.ok("exec staging --hosts apps -- printf %s|%s\\n \"$HOME a'b\" \"$(id) `id` * ;\"");
    run.says("$HOME a'b|$(id) `id` * ;")
        .says_not("host-3  $HOME");
    // What fails on one host fails.
    let run = project.shipit("exec staging -- test -e /root/.no-such-file -o host-2 = host-2");
    run.exits(0);
    let run = project.shipit("exec staging -- sh -c \"[ $(hostname) != host-2 ] || exit 7\"");
    run.exits(1).says("host-2").says("7");
    let run = project.shipit("exec staging --timeout 1s --hosts host-1 -- sleep 30");
    run.exits(1);
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);

    // A reader that takes its time gets every line, also of a command that took less time than that.
    let counted = project.path("counted");
    let reader = format!("(sleep 4; wc -l) >'{}'", counted.display());
    let seq = "exec staging --hosts host-1 --timeout 3s -- seq 1 200000";
    let status = project.piped(seq, &reader).wait().expect("its end");
    let lines = fs::read_to_string(&counted).expect("what was counted");
    assert_eq!((lines.trim(), status.code()), ("200000", Some(0)));
    // One that goes away ends what runs on the host, and is no interrupt of the user's.
    let endless = "exec staging --hosts host-1 -- yes e2e-endless";
    let status = project.piped(endless, "head -n 1 >/dev/null").wait();
    assert_eq!(status.expect("its end").code(), Some(141));
    let left = "exec staging --hosts host-1 -- sh -c \"pgrep -x yes || echo none\"";
    lab::eventually("`yes` has ended", Duration::from_secs(10), || {
        let run = project.ok(left);
        let has_ended = run.text.contains("none");
        has_ended.then_some(()).ok_or_else(|| run.text.clone())
    });
}

pub fn run(stage: &Stage) {
    let project = stage.copy("tasks");
    project.edit(
        "inventory/staging.toml",
        "\"flask-nanoservice\"]",
        "\"flask-nanoservice\", \"tidy\"]",
    );
    project.write(
        "files/tidy.conf",
        "host = {{host.name}}\nquoted = \"$HOME\"\n",
    );
    project.write(
        "recipes/tidy.toml",
        r#"
hosts = "apps"

[[commands]]
name = "forget what was there"
run = "rm -f /tmp/e2e-tidy-*"

[[commands]]
upload = { from = "files/tidy.conf", to = "/tmp/e2e-tidy-conf", mode = "0640", template = true }

[[commands]]
name = "only once"
run = "echo here >/tmp/e2e-tidy-once"
once = true

[[commands]]
name = "only where it is not yet"
run = "touch /tmp/e2e-tidy-again"
unless = "test -e /etc/hostname"

[[commands]]
name = "works at the third try"
run = "echo x >>/tmp/e2e-tidy-tries; test $(wc -l </tmp/e2e-tidy-tries) = 3"
retry = 2
"#,
    );
    let run = project.ok("run staging tidy");
    run.says("works at the third try");
    for host in APPS {
        let conf = format!("host = {}\nquoted = \"$HOME\"\n640\n", host.name);
        assert_eq!(
            host.run("cat /tmp/e2e-tidy-conf; stat -c %a /tmp/e2e-tidy-conf"),
            conf
        );
        assert_eq!(host.run("wc -l </tmp/e2e-tidy-tries").trim(), "3");
        assert!(
            host.try_run("test -e /tmp/e2e-tidy-again").is_err(),
            "`unless` held"
        );
    }
    assert!(HOST_1.try_run("test -e /tmp/e2e-tidy-once").is_ok());
    assert!(
        HOST_2.try_run("test -e /tmp/e2e-tidy-once").is_err(),
        "`once` is one host"
    );

    project.edit("recipes/tidy.toml", "= 3\"", "= 99\"");
    let run = project.shipit("run staging tidy");
    run.exits(1).says("works at the third try");
    project.shipit("run staging consul").exits(2);
    for host in APPS {
        host.run("rm -f /tmp/e2e-tidy-*");
    }
}

pub fn check(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    project.ok("check staging").says("as it should be");

    // A service whose container is gone, as a host leaves it that crashed. Its id is none that Registrator
    // would clean up by itself.
    let ghost = lab::here(
        r#"{"ID": "ghost", "Name": "flask-nanoservice", "Address": "192.168.50.102", "Port": 1}"#,
    );
    HOST_2.run(&format!(
        "curl -fsS -X PUT -d '{ghost}' http://127.0.0.1:8500/v1/agent/service/register"
    ));
    let found = project.shipit("check staging");
    found
        .exits(1)
        .says("Consul has `ghost`, whose container is gone")
        .says("--fix");
    project.ok("check staging --fix").says("deregistered");
    assert_eq!(lab::passing("flask-nanoservice").len(), 2);
    project.ok("check staging").says_not("ghost");

    // An app that has died is found, and brought up again by a deploy.
    HOST_1.run(&format!("docker kill {}", HOST_1.app()));
    project
        .shipit("check staging --fix")
        .exits(1)
        .says("no container runs");
    project.ok("status staging").says("exited (137)");
    stage.serve("v1");
}

pub fn lock(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    project.ok("lock staging -m \"the sale ends on Monday\"");
    let bob = project.as_user("bob");
    let refused = bob.shipit("deploy staging --set version=v2");
    refused
        .exits(4)
        .says("`staging` is locked by alice@")
        .says("the sale ends on Monday")
        .says("hint: shipit unlock staging");
    bob.shipit("rollback staging").exits(4);
    bob.shipit("down staging --yes").exits(4);
    bob.ok("status staging").says("the sale ends on Monday");
    bob.ok("plan staging --set version=v2")
        .says("shipit-lab/flask-nanoservice:v2");
    bob.ok("unlock staging");
    project
        .ok("deploy staging --set version=v1")
        .says("nothing to do");
    assert_eq!(
        HOST_3.run("docker volume ls -q --filter label=shipit.hold"),
        ""
    );
}

pub fn passphrase(stage: &Stage) {
    let project = stage.copy("passphrase");
    let key = project.path("locked-key");
    let home = std::env::var("HOME").unwrap_or_default();
    fs::copy(format!("{home}/.vagrant.d/insecure_private_key"), &key).expect("a copy");
    let locked = Command::new("sh")
        .args([
            "-c",
            r#"chmod 600 "$1" && ssh-keygen -q -p -P "" -N "open sesame" -f "$1""#,
            "sh",
        ])
        .arg(&key)
        .output()
        .expect("ssh-keygen");
    assert!(locked.status.success(), "{locked:?}");
    project.edit(
        "inventory/staging.toml",
        "~/.vagrant.d/insecure_private_key",
        "locked-key",
    );
    // Nobody can be asked without a terminal.
    project.shipit("status staging").exits(3).says("locked-key");

    let mut terminal = Terminal::open(&project, "exec staging -- hostname");
    terminal.wait_for("Passphrase of ");
    terminal.types("open sesame");
    let run = terminal.finish();
    // One key for three hosts: one question, and nothing of the answer on the screen.
    run.exits(0).says("ran on 3 hosts").says_not("sesame");
    assert_eq!(
        run.text.matches("Passphrase of ").count(),
        1,
        "{}",
        run.text
    );
}
