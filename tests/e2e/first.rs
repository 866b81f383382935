//! From empty hosts to the whole stack, and back to empty hosts.

use crate::{
    lab::{self, APPS, HOST_3, HOSTS},
    stage::{Stage, both_answer},
    terminal::Terminal,
};

pub fn deploy_on_empty_hosts(stage: &Stage) {
    lab::clear();
    let run = stage.project().ok("deploy staging");
    run.says("deployed r1 to staging in ");
    for host in HOSTS {
        assert_eq!(
            host.containers("--filter name=^consul$"),
            ["consul"],
            "{}",
            host.name
        );
    }
    for host in APPS {
        assert_eq!(
            host.containers(""),
            ["consul", "flask-nanoservice-r1", "registrator"]
        );
    }
    assert_eq!(HOST_3.containers(""), ["consul", "dr-con"]);
    let peers = lab::consul(HOST_3, "status/peers");
    assert_eq!(peers.as_array().map(Vec::len), Some(3), "{peers}");
    // Four requests, answered by both containers.
    assert_eq!(lab::answers(4).len(), 2);
    both_answer("v1");
}

pub fn nothing_to_do(stage: &Stage) {
    stage.serve("v1");
    let before = lab::everything();
    // The best of three is told, not judged: what else this machine does is not what is tested.
    let times = [(); 3].map(|()| {
        let run = stage.project().ok("deploy staging --set version=v1");
        run.says("nothing to do: staging is up to date");
        run.took
    });
    assert_eq!(lab::everything(), before);
    let best = times.into_iter().min().unwrap_or_default();
    stage.tell(format!(
        "a deploy with nothing to do took {:.2} s",
        best.as_secs_f64()
    ));
}

pub fn plan(stage: &Stage) {
    stage.serve("v1");
    let before = lab::everything();
    let run = stage.project().ok("plan staging --set version=v2");
    for line in [
        "consul: unchanged on host-1, host-2, host-3",
        "registrator: unchanged on host-1, host-2",
        "dr-con: unchanged on host-3",
        " on host-1, host-2: in place of `flask-nanoservice-r",
        "    image  shipit-lab/flask-nanoservice:",
        ") → shipit-lab/flask-nanoservice:v2 (sha256:",
        "2 to replace, 6 unchanged",
    ] {
        run.says(line);
    }
    let dry = stage
        .project()
        .ok("deploy staging --set version=v2 --dry-run");
    dry.says("shipit-lab/flask-nanoservice:v2");
    assert_eq!(lab::everything(), before);
    stage
        .project()
        .ok("deploy staging --set version=v1")
        .says("nothing to do");
}

pub fn down(stage: &Stage) {
    stage.serve("v1");
    let project = stage.project();
    // Without a terminal nobody can be asked, so nothing goes.
    let before = lab::everything();
    let refused = project.shipit("down staging");
    assert_ne!(refused.code, Some(0), "{}", refused.text);
    assert_eq!(lab::everything(), before);

    let mut terminal = Terminal::open(project, "down staging");
    terminal.wait_for("[y/N] ");
    terminal.types("n");
    terminal.finish().exits(0).says_not("took staging down");
    assert_eq!(lab::everything(), before);

    let mut terminal = Terminal::open(project, "down staging");
    terminal.wait_for("[y/N] ");
    terminal.types("y");
    terminal.finish().exits(0).says("took staging down in ");
    for host in HOSTS {
        assert_eq!(
            host.run("docker ps -aq --filter label=shipit.environment=staging"),
            "",
            "{}",
            host.name
        );
        assert_eq!(
            host.run("docker volume ls -q --filter label=shipit.environment=staging"),
            "",
            "{}",
            host.name
        );
    }
    project.ok("down staging --yes").says("nothing to do");
    project
        .ok("history staging")
        .says("`staging` has no release yet");
}
