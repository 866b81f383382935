//! Consul without Registrator: shipit registers containers itself, as docs/consul.md says.

use std::time::Duration;

use crate::{
    lab::{self, APPS, HOST_1, HOST_3},
    pages::{blocks, pages},
    stage::{Stage, deployed},
};

/// Where the balancer of the page is.
const PORT: u16 = 82;

/// What the agent of a host has by the name of the page, as JSON.
fn services(host: lab::Host) -> String {
    host.run("curl -sG http://127.0.0.1:8500/v1/agent/services --data-urlencode 'filter=Service == \"direct\"'")
}

pub fn without_registrator(stage: &Stage) {
    stage.now();
    let project = stage.copy("registers");
    let pages = pages();
    let page = pages.iter().find(|page| page.name == "docs/consul.md");
    let blocks = blocks(page.expect("the page"));
    for block in &blocks {
        let path = block.lines[0].strip_prefix("# ");
        if let Some(path) = path.filter(|path| path.contains("/direct")) {
            project.write(path, &(block.lines.join("\n") + "\n"));
        }
    }
    let endpoint: &'static str = format!("{}:{PORT}", HOST_3.address()).leak();
    let both_answer = |version: &str| {
        let mut seen = Vec::new();
        lab::eventually("both hosts answer", Duration::from_secs(10), || {
            seen.push(lab::get(&format!("http://{endpoint}/"))?.trim().to_owned());
            seen.sort();
            seen.dedup();
            let is_new = |answer: &String| answer.ends_with(&format!("({version})"));
            if seen.iter().filter(|it| is_new(it)).count() == APPS.len() {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
    };
    // What a run that was broken off has left.
    project.shipit("down direct --yes");
    project
        .ok("deploy direct --set version=v1")
        .says("register direct-r1 in Consul");
    both_answer("v1");
    for host in APPS {
        let has = services(host);
        assert!(
            has.contains(":direct-r1\"") && has.contains("\"Tags\":[\"direct\"]"),
            "{has}"
        );
    }
    project.ok("check direct");
    project
        .ok("deploy direct --set version=v1")
        .says("nothing to do");

    let what = "registered by shipit: a deploy and a rollback";
    stage.loses_nothing_at(vec![endpoint].leak(), what, |_| {
        let deploy = deployed(&project, "deploy direct --set version=v2").0;
        vec![deploy, (&project.ok("rollback direct")).into()]
    });
    both_answer("v1");
    project.ok("check direct");
    project.ok("status direct").says("passing");

    // One that Consul has lost.
    HOST_1.run("curl -s -X PUT http://127.0.0.1:8500/v1/agent/service/deregister/host-1:direct-r1");
    project
        .shipit("check direct")
        .exits(1)
        .says("`direct-r1` runs, but Consul's agent has no `direct` for it");
    project.ok("check direct --fix").says("registered");
    both_answer("v1");

    // Another tag is another container, as it was with Registrator.
    project.edit("recipes/direct.toml", "tags = [", "tags = [\"blue\", ");
    project
        .ok("plan direct --set version=v1")
        .says("2 to replace");

    // What Consul cannot be asked to forget is not forgotten by the next `down` either.
    HOST_1.run("docker stop consul");
    project
        .shipit("down direct --yes")
        .exits(1)
        .says("not everything could be removed on `host-1`");
    HOST_1.run("docker start consul");
    let limit = Duration::from_secs(30);
    lab::eventually("the agent is back", limit, || {
        let services = HOST_1.try_run("curl -sf http://127.0.0.1:8500/v1/agent/services")?;
        let leader = HOST_1.try_run("curl -sf http://127.0.0.1:8500/v1/status/leader")?;
        if services.contains("direct") && leader.contains("8300") {
            Ok(())
        } else {
            Err(format!("{services} {leader}"))
        }
    });
    project.ok("down direct --yes");
    for host in APPS {
        assert_eq!(services(host).trim(), "{}");
    }
}
