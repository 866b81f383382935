//! Parts of an environment, environments that share hosts, and accounts that share an environment.

use std::fs;

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOSTS, of_recipe},
    project::Project,
    stage::{Stage, both_answer, deployed, other},
};

pub fn limit(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let (first, second) = (HOST_1.app(), HOST_2.app());
    let project = stage.quick("limit");
    project.ok(&format!(
        "deploy staging --set version={new} --limit host-1"
    ));
    assert_ne!(HOST_1.app(), first);
    assert_eq!(HOST_2.app(), second);
    let answers = lab::who_answers(2);
    assert_eq!(answers.len(), 2, "{answers:?}");
    for version in [old, new] {
        let serves = |answer: &String| answer.ends_with(&format!("({version})"));
        assert!(answers.iter().any(serves), "{answers:?}");
    }
    project
        .shipit("deploy staging --limit host-9")
        .exits(2)
        .says("host-9");
    // One recipe alone.
    project.ok(&format!(
        "deploy staging flask-nanoservice --set version={new}"
    ));
    both_answer(new);
}

pub fn second_environment(stage: &Stage) {
    let version = stage.now();
    let project = stage.copy("feature");
    project.write(
        "inventory/feature.toml",
        "extends = \"staging\"\nrecipes = [\"feature\"]\n\n[vars]\nversion = \"v2\"\n",
    );
    project.write(
        "recipes/feature.toml",
        r#"
hosts = "apps"

[container]
image = "{{flask_image}}:{{version}}"
publish = ["8080:5000"]
env = { SERVICE_NAME = "feature", SERVICE_CHECK_HTTP = "/health", SERVICE_CHECK_INTERVAL = "1s" }

[ready]
http = "/health"
consul = "feature"
"#,
    );
    let of_staging = || {
        HOSTS
            .map(|host| host.containers("--all --filter label=shipit.environment=staging"))
            .concat()
    };
    let before = of_staging();
    let releases = project.ok("history staging").text;
    // Each environment has its own lock.
    project.ok("lock staging -m \"not now\"");
    stage.loses_nothing("a second environment on the same hosts", |_| {
        let run = project.ok("deploy feature");
        run.says("deployed r1 to feature");
        vec![(&run).into()]
    });
    project.ok("unlock staging");
    for host in APPS {
        let answer = lab::get(&format!("http://{}:8080/", host.address()));
        assert!(
            answer.as_ref().is_ok_and(|body| body.contains("(v2)")),
            "{answer:?}"
        );
        assert_eq!(host.containers(&of_recipe("feature", "feature")).len(), 1);
    }
    assert_eq!(of_staging(), before);

    project.ok("down feature --yes");
    for host in HOSTS {
        assert_eq!(
            host.run("docker ps -aq --filter label=shipit.environment=feature"),
            ""
        );
        assert_eq!(
            host.run("docker volume ls -q --filter label=shipit.environment=feature"),
            ""
        );
    }
    assert_eq!(of_staging(), before);
    assert_eq!(lines(&project.ok("history staging").text), lines(&releases));
    both_answer(version);
}

/// The rows of a `history`, without what differs from call to call.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with('r')).collect()
}

pub fn through_sudo(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    let project = stage.copy("through-sudo");
    project.edit(
        "inventory/staging.toml",
        "user = \"vagrant\"",
        "user = \"sudoer\"",
    );
    let before = lab::everything();
    project
        .shipit(&format!("deploy staging --set version={new}"))
        .exits(3)
        .says("permission denied")
        .says("on `host-1`: `sudo usermod -aG docker sudoer`, which `shipit setup staging` does; or set `become = true` under [ssh]");
    assert_eq!(lab::everything(), before);

    project.edit(
        "inventory/staging.toml",
        "user = \"sudoer\"",
        "user = \"sudoer\"\nbecome = true",
    );
    stage.loses_nothing("another account deploys, through sudo", |_| {
        vec![deployed(&project, &format!("deploy staging --set version={new}")).0]
    });
    both_answer(new);
    project
        .ok("exec staging --hosts host-1 -- id -u")
        .says("host-1  | 0");
    project.ok("check staging");
    // What one account recorded and locked, the other finds.
    project.ok("lock staging -m \"by sudoer\"");
    stage
        .project()
        .shipit("rollback staging")
        .exits(4)
        .says("by sudoer");
    stage.project().ok("unlock staging");
    stage.project().ok("rollback staging");
    both_answer(old);
    project.ok("history staging").says("rollback to r");
}

/// One container with a secret from a file of the project, on host-2.
const WITH_A_SECRET: &str = r#"
hosts = "host-2"

[container]
image = "shipit-lab/flask-nanoservice:{{version}}"
publish = ["18081:5000"]
secrets = { TOKEN = { file = "secrets/token" } }

[ready]
http = "/"

[rollout]
min_healthy_time = "1s"
healthy_deadline = "20s"
"#;

/// A checkout of the same project at a path of its own, as each CI run has one.
fn checkout(stage: &Stage, name: &str) -> Project {
    let project = stage.copy(name);
    project.write(
        "inventory/secret.toml",
        "extends = \"staging\"\nrecipes = [\"secret\"]\n",
    );
    project.write("recipes/secret.toml", WITH_A_SECRET);
    project.write("secrets/token", "open sesame\n");
    project
}

/// Removes the container that a release has kept: it was renamed when another took its place.
#[track_caller]
fn forget_kept(release: &str) {
    let kept = HOST_2.containers(&format!(
        "--all --filter name=^/secret-{release}$ --filter status=exited"
    ));
    assert_eq!(kept.len(), 1, "what {release} has kept: {kept:?}");
    HOST_2.run(&format!("docker rm {}", kept[0]));
}

pub fn another_checkout(stage: &Stage) {
    let first = checkout(stage, "workspace-1");
    // What a run that was broken off has left.
    first.shipit("down secret --yes");
    first.ok("deploy secret --set version=v1");
    first.ok("deploy secret --set version=v2");
    fs::remove_dir_all(first.path("")).expect("the workspace is cleared");
    // The kept container is no help, so that the secret is needed again.
    forget_kept("r1");

    let second = checkout(stage, "workspace-2");
    second
        .ok("rollback secret")
        .says("r3 = r1 again")
        .says_not("workspace-1");
    let answer = lab::get(&format!("http://{}:18081/", HOST_2.address()));
    assert!(
        answer.as_ref().is_ok_and(|body| body.contains("(v1)")),
        "{answer:?}"
    );
    let container = HOST_2.containers(&of_recipe("secret", "secret"));
    let token = HOST_2.run(&format!("docker exec {} printenv TOKEN", container[0]));
    assert_eq!(token.trim(), "open sesame");

    // What is missing is named by the path that the file has in this checkout.
    fs::remove_file(second.path("secrets/token")).expect("it was there");
    forget_kept("r2");
    second
        .shipit("rollback secret")
        .exits(2)
        .says("the secret `TOKEN` has no value")
        .says("secrets/token")
        .says_not("workspace-1");
    second.ok("down secret --yes");
}
