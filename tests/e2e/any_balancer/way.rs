//! What every balancer goes through, in one of two lengths.

use std::time::Duration;

use super::balancer::Balancer;
use crate::{
    faults::outside,
    lab::{self, APPS, HOST_1},
    project::Project,
    stage::{Stage, failed, other},
};

/// `whole` has each balancer go the whole way, which takes several minutes each: `make balancers`.
const VARIABLE: &str = "SHIPIT_BALANCERS";

/// How much of everything there is.
struct Length {
    /// Deploys after the first one, of two versions in turn.
    deploys: usize,
    /// Rollbacks: back, and forth again.
    rollbacks: usize,
    /// What a deploy says when it is killed.
    kills: &'static [&'static str],
    /// Whether the app is rolled out as the page says, one host after the other and each seen well for a while.
    as_written: bool,
    /// Whether a host is restarted.
    restarts_a_host: bool,
}

impl Length {
    fn wanted() -> Self {
        if std::env::var(VARIABLE).is_ok_and(|value| value == "whole") {
            return Self {
                deploys: 10,
                rollbacks: 2,
                kills: &[
                    "start ",
                    "to be ready",
                    "to route to",
                    "to stop routing to",
                    "stop ",
                ],
                as_written: true,
                restarts_a_host: true,
            };
        }
        Self {
            deploys: 2,
            rollbacks: 1,
            kills: &["to be ready", "to stop routing to", "stop "],
            as_written: false,
            restarts_a_host: false,
        }
    }
}

/// Takes a balancer through everything; the version that both hosts serve at the end.
pub(super) fn the_whole_way(stage: &Stage, it: &Balancer) -> &'static str {
    let length = Length::wanted();
    let (project, to) = (&it.project, it.endpoints());
    if !length.as_written {
        // With a port of its own an app stops before the new one starts: the other host's serves meanwhile.
        it.rolls_out(if it.has_ports_of_its_own() {
            "max_parallel = \"100%\""
        } else {
            ""
        });
    }
    project
        .ok("deploy lab --set version=v1")
        .says("deployed r1 to lab");
    it.both_answer("v1");
    project.ok("check lab");
    project
        .ok("deploy lab --set version=v1")
        .says("nothing to do");

    let mut version = "v1";
    let number = length.deploys;
    stage.loses_nothing_at(to, &it.row(&format!("{number} deploys")), |_| {
        let deploys = (0..number).map(|_| {
            version = other(version);
            it.deploy(version)
        });
        deploys.collect()
    });
    it.both_answer(version);

    let number = length.rollbacks;
    let what = ["rollback", "rollback, and forth again"][number - 1];
    stage.loses_nothing_at(to, &it.row(what), |_| {
        let rollbacks = (0..number).map(|_| {
            version = other(version);
            (&project.ok("rollback lab")).into()
        });
        rollbacks.collect()
    });
    it.both_answer(version);
    it.none_is_marked_as_leaving();

    a_bad_version(stage, it);
    it.both_answer(version);

    version = other(version);
    killed(stage, it, length.kills, version);
    comes_back(stage, it, version);
    if length.restarts_a_host {
        a_host_is_restarted(stage, it, version);
    }
    // A fixed port keeps both versions from running on a host at once.
    if length.as_written && it.has_ports_of_its_own() {
        version = blue_green(stage, it, version);
    }
    version
}

/// All hosts are switched to a version at once, and back.
fn blue_green(stage: &Stage, it: &Balancer, version: &'static str) -> &'static str {
    it.rolls_out("order = \"blue-green\"");
    stage.loses_nothing_at(
        it.endpoints(),
        &it.row("blue-green, there and back"),
        |_| {
            let there = it.deploy(other(version));
            it.both_answer(other(version));
            vec![there, (&it.project.ok("rollback lab")).into()]
        },
    );
    it.both_answer(version);
    it.project.ok("check lab");
    version
}

/// A version that crashes is taken back, and nothing else is touched.
pub(super) fn a_bad_version(stage: &Stage, it: &Balancer) {
    let before = APPS.map(|host| it.app_on(host));
    stage.loses_nothing_at(it.endpoints(), &it.row("a bad version"), |_| {
        let run = it.project.shipit("deploy lab --set version=crash");
        run.exits(5);
        failed(&run)
    });
    assert_eq!(APPS.map(|host| it.app_on(host)), before);
}

/// Runs the same command once for each point, and kills it when it says that it is there with the app.
pub(super) fn kill_at(project: &Project, line: &str, app: &str, points: &[&str]) {
    for point in points {
        let mut doomed = project.start(line);
        if doomed.wait_until(|line| line.contains(point) && line.contains(app)) {
            doomed.signal("KILL");
        }
        let _ = doomed.finish();
    }
}

/// Deploys are killed, each at another point, and the next one converges.
pub(super) fn killed(stage: &Stage, it: &Balancer, points: &[&str], version: &str) {
    let what = format!("killed at {} points, then a deploy", points.len());
    stage.loses_nothing_at(it.endpoints(), &it.row(&what), |_| {
        let line = format!("deploy lab --set version={version} -v");
        kill_at(&it.project, &line, it.app, points);
        vec![it.deploy(version)]
    });
    it.both_answer(version);
    it.project.ok("check lab");
}

/// An app container is killed, and docker starts it again: it comes back at the same port.
fn comes_back(stage: &Stage, it: &Balancer, version: &str) {
    let name = it.app_on(HOST_1);
    let port = Balancer::port_of(HOST_1, &name);
    let pid = format!("docker inspect -f '{{{{.State.Pid}}}}' {name}");
    let look = format!("docker inspect -f '{{{{.RestartCount}}}} {{{{.State.Running}}}}' {name}");
    let what = it.row("an app container is killed");
    stage.loses_nothing_at(it.endpoints(), &what, |load| {
        // A POST that the killed container had already taken is lost to everyone: it may not be sent twice. So is one that
        // docker's proxy takes until docker has noticed the death.
        load.between_posts(|| {
            HOST_1.run(&format!(
                "sudo kill -KILL $({pid}); timeout 10 sh -c \"until {look} | grep -q '^1 '; do :; done\""
            ))
        });
        // Docker counts the restart before it starts the container.
        let what = "docker has started it again";
        lab::eventually(what, Duration::from_secs(20), || {
            let seen = HOST_1.try_run(&look)?;
            if seen.trim() == "1 true" {
                Ok(())
            } else {
                Err(seen)
            }
        });
        Vec::new()
    });
    it.is_back_at(&name, &port, version);
}

/// A host of the app is restarted, as for a new kernel. What was in flight to it may be lost, and is counted.
fn a_host_is_restarted(stage: &Stage, it: &Balancer, version: &str) {
    let name = it.app_on(HOST_1);
    let port = Balancer::port_of(HOST_1, &name);
    let what = it.row("a host is restarted");
    stage.measure_at(it.endpoints(), &what, |_| {
        outside::to(HOST_1, &["restart", "-t", "15"]);
        outside::wait_until_all_answer();
        Vec::new()
    });
    it.is_back_at(&name, &port, version);
}
