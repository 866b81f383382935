//! What the tests of records have in common.

use crate::model::{Environment, testing::TestProject};

/// The environment `staging` of the hosts `host-1`, `host-2`, …
pub(crate) fn environment(hosts: usize) -> Environment {
    let project = TestProject::new();
    let write = |path: &str, text: &str| project.write(path, text);
    let hosts = (1..=hosts).map(|at| format!("host-{at} = {{ address = \"192.0.2.{at}\" }}\n"));
    let hosts: String = hosts.collect();
    write(
        "inventory/staging.toml",
        &format!("recipes = [\"web\"]\n[hosts]\n{hosts}"),
    );
    write(
        "recipes/web.toml",
        "hosts = \"all\"\ncontainer.image = \"web\"\n",
    );
    project.environment()
}
