//! A private image registry: deploying from it, and rolling back when it is gone.

use crate::{
    lab::{self, APPS, HOST_1, HOST_3},
    stage::{Stage, both_answer, deployed},
};

/// The registry's password, which shipit is given as `$REGISTRY_PASSWORD`.
pub const PASSWORD: &str = "s3cr3t with 'quotes' = \"and\" $more";

fn server() -> String {
    lab::here("192.168.50.103:5000")
}

pub fn private_registry(stage: &Stage) {
    let server = server();
    // Both versions are on host-1 then, to be pushed from there.
    for version in ["v1", "v2"] {
        if HOST_1.image(version).is_none() {
            stage.serve(version);
        }
    }
    let project = stage.copy("registry");
    project.write(
        "inventory/registry.toml",
        "extends = \"staging\"\nrecipes = [\"registry\"]\n",
    );
    project.write(
        "recipes/registry.toml",
        r#"
hosts = "balancers"

[container]
image = "shipit-lab/registry"
publish = ["5000:5000"]
env = { REGISTRY_USER = "deploy" }
secrets = { REGISTRY_PASSWORD = { env = "REGISTRY_PASSWORD" } }

[ready]
http = "/"
"#,
    );
    let run = project.ok("deploy registry");
    assert!(!run.text.contains(PASSWORD), "{}", run.text);
    push("v1");
    push("v2");

    project.edit(
        "inventory/staging.toml",
        "\"shipit-lab/flask-nanoservice\"",
        &format!("\"{server}/flask-nanoservice\""),
    );
    project.edit(
        "recipes/flask-nanoservice.toml",
        "publish_all = true",
        "publish_all = true\nsource = \"registry\"",
    );
    let staging =
        std::fs::read_to_string(project.path("inventory/staging.toml")).expect("the file");
    for host in APPS {
        host.run("rm -f ~/.docker/config.json");
    }
    let without_login = project.shipit("deploy staging --set version=v1");
    without_login.exits(3).says(&server);
    project.write(
        "inventory/staging.toml",
        &format!(
            "{staging}\n[registries.\"{server}\"]\nusername = \"deploy\"\npassword = {{ env = \"REGISTRY_PASSWORD\" }}\n"
        ),
    );
    stage.loses_nothing("from a private registry, and back without it", |_| {
        let (first, events) = deployed(&project, "deploy staging --set version=v1");
        both_answer("v1");
        assert!(
            !format!("{events:?}").contains("s3cr3t"),
            "the password was told"
        );
        for host in APPS {
            let image = host.run(&format!(
                "docker inspect --format '{{{{.Config.Image}}}}' {}",
                host.app()
            ));
            assert!(
                image.contains(&format!("{server}/flask-nanoservice"))
                    && image.contains("@sha256:"),
                "pinned by digest on {}: {image}",
                host.name
            );
        }
        let (second, _) = deployed(&project, "deploy staging --set version=v2");
        both_answer("v2");

        project.ok("down registry --yes");
        assert!(
            lab::get(&format!("http://{server}/")).is_err(),
            "the registry is gone"
        );
        let (back, _) = deployed(&project, "rollback staging");
        both_answer("v1");
        vec![first, second, back]
    });
    let gone = project.shipit("deploy staging --set version=v2");
    gone.exits(3).says(&server);
    both_answer("v1");
    assert!(HOST_3.containers("--all --filter name=registry").is_empty());
}

/// Pushes a version of the app from host-1, where it is known under a name of shipit's.
#[track_caller]
fn push(version: &str) {
    let server = server();
    let image = HOST_1.image(version).expect("it was deployed before");
    HOST_1.run(&format!(
        "set -e
        docker tag {image} {server}/flask-nanoservice:{version}
        docker --config /tmp/e2e-docker login --username deploy --password-stdin {server} <<'END' >/dev/null 2>&1
{PASSWORD}
END
        docker --config /tmp/e2e-docker push {server}/flask-nanoservice:{version} >/dev/null
        docker rmi {server}/flask-nanoservice:{version} >/dev/null
        rm -rf /tmp/e2e-docker"
    ));
}
