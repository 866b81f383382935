//! Several balancers, one that has none beside it, and an app that two balancers know by two ports.

use crate::{
    lab::{self, APPS, HOST_1, HOST_3},
    stage::{Stage, both_answer, deployed, failed, other},
    table::Deployed,
};

const RECIPE: &str = "recipes/flask-nanoservice.toml";
const BALANCER: &str = "recipes/dr-con.toml";

pub fn two_balancers(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = stage.copy("two-balancers");
    project.edit(
        "inventory/staging.toml",
        "192.168.50.101\", groups = [\"consul\", \"apps\"]",
        "192.168.50.101\", groups = [\"consul\", \"apps\", \"balancers\"]",
    );
    project.ok(&format!("deploy staging --set version={old}"));
    let both = lab::all_here(&["192.168.50.101:80", "192.168.50.103:80"]);
    for balancer in both {
        let answer = lab::get(&format!("http://{balancer}/"));
        assert!(
            answer.as_ref().is_ok_and(|body| body.contains("Hello")),
            "{balancer}: {answer:?}"
        );
    }
    stage.loses_nothing_at(both, "a new version behind two balancers", |_| {
        vec![deployed(&project, &format!("deploy staging --set version={new}")).0]
    });
    both_answer(new);

    project.edit(BALANCER, "SERVICE = ", "ROUND = \"2\", SERVICE = ");
    project
        .ok(&format!("plan staging --set version={new}"))
        .says("2 to replace")
        .says_not("is the only balancer");
    stage.loses_nothing_at(both, "two balancers are replaced, one at a time", |_| {
        let line = format!("deploy staging --set version={new}");
        let (run, events) = deployed(&project, &line);
        // What was done to the balancers, in order: never both without one.
        let steps: Vec<_> = events
            .iter()
            .filter(|event| event["recipe"] == "dr-con" && event["event"] == "step-finished")
            .filter_map(|event| {
                let step = event["step"].as_str()?;
                let word = step.split(' ').next()?;
                Some(format!("{} {word}", event["host"].as_str()?))
            })
            .filter(|step| !step.ends_with(" keep") && !step.ends_with(" check"))
            .collect();
        assert_eq!(
            steps,
            [
                "host-1 stop",
                "host-1 start",
                "host-1 wait",
                "host-3 stop",
                "host-3 start",
                "host-3 wait"
            ]
        );
        vec![run]
    });
    // One balancer as before: the other goes.
    stage.serve(new);
    assert_eq!(HOST_1.containers("--filter name=dr-con"), [""; 0]);
}

pub fn the_only_balancer(stage: &Stage) {
    let version = stage.now();
    let project = stage.project();
    project.edit(BALANCER, "SERVICE = ", "ROUND = \"1\", SERVICE = ");
    let line = format!("staging --set version={version}");
    let warning = "`dr-con` is the only balancer and has a fixed port: requests are refused while it is replaced";
    project.ok(&format!("plan {line}")).says(warning);
    let tally = stage.measure("the only balancer is replaced, as the plan warns", |_| {
        let run = project.ok(&format!("deploy {line}"));
        run.says(warning);
        failed(&run)
    });
    stage.tell(format!(
        "replacing the only balancer lost {} of {} requests",
        tally.lost(),
        tally.requests
    ));
    assert_eq!(HOST_3.containers("--filter name=dr-con"), ["dr-con"]);
    both_answer(version);
}

pub fn two_ports(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = stage.copy("two-ports");
    project.edit(
        RECIPE,
        "publish_all = true",
        "publish = [\"5000\", \"9100\"]",
    );
    project.edit(
        RECIPE,
        "env = { SERVICE_NAME = \"flask-nanoservice\"",
        "env = { PORTS = \"5000,9100\", SERVICE_5000_NAME = \"flask-nanoservice\", SERVICE_9100_NAME = \"flask-admin\"",
    );
    project.edit(
        RECIPE,
        "http = \"/health\"",
        "http = { path = \"/health\", port = 5000 }",
    );
    project.edit(RECIPE, "[\"dr-con\"]", "[\"dr-con\", \"dr-con-admin\"]");
    let balancer = std::fs::read_to_string(project.path(BALANCER)).expect("the recipe");
    project.write(
        "recipes/dr-con-admin.toml",
        &balancer
            .replace("80:80", "81:80")
            .replace("flask-nanoservice", "flask-admin"),
    );
    project.edit(
        "inventory/staging.toml",
        "\"dr-con\", ",
        "\"dr-con\", \"dr-con-admin\", ",
    );
    let deploy = |version: &str| -> Deployed {
        deployed(&project, &format!("deploy staging --set version={version}")).0
    };
    stage.loses_nothing(
        "an app gets a second port, with a balancer of its own",
        |_| vec![deploy(old)],
    );
    for service in ["flask-nanoservice", "flask-admin"] {
        let passing = lab::passing(service);
        assert_eq!(passing.len(), 2, "{service}: {passing:?}");
    }
    // Both ports are asked for, each through its own balancer.
    stage.loses_nothing("an app with two ports, asked through the first", |_| {
        let mut deploys = Vec::new();
        stage.loses_nothing_at(
            lab::all_here(&["192.168.50.103:81"]),
            "the same deploys, asked through the second",
            |_| {
                deploys.extend([deploy(new), deploy(old)]);
                Vec::new()
            },
        );
        deploys
    });
    both_answer(old);
    for host in APPS {
        host.app();
    }
    // Back to one port; what the files no longer name is left running, and said.
    stage
        .project()
        .ok(&format!("deploy staging --set version={old}"))
        .says("the environment has no recipe `dr-con-admin` any more");
    HOST_3.run("docker rm --force dr-con-admin");
    both_answer(old);
}
