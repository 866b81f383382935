//! What the tests of records have in common.

use crate::model::{Environment, Overrides, Project, load};

/// The environment `staging` of the hosts `host-1`, `host-2`, …
pub(crate) fn environment(hosts: usize) -> Environment {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, text).expect("the file");
    };
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
    let project = Project {
        root: folder.path().to_owned(),
    };
    load(&project, "staging", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment
}
