//! Several environments: `extends`, `default`, and finding the project.

use insta::assert_snapshot;
use shipit::{
    diagnostic::Style,
    model::{Project, SecretSource, default_environment},
};

use super::project::TestProject;

const BASE: &str = r#"
default = true
recipes = ["web"]
[hosts]
a = { address = "192.0.2.1", groups = ["web"] }
[groups.web.vars]
colour = "red"
size = 1
[ssh]
user = "deploy"
port = 2222
[vars]
version = "1"
name = "base"
"#;

const WEB: &str = r#"
hosts = "all"
[container]
image = "web:{{version}}"
command = ["{{name}} {{colour}} {{size}} {{environment}}"]
"#;

#[test]
fn an_environment_takes_over_what_it_does_not_name() {
    let project = TestProject::new(&[
        ("recipes/web.toml", WEB),
        ("inventory/base.toml", BASE),
        (
            "inventory/middle.toml",
            "extends = \"base\"\n[ssh]\nport = 22\n[vars]\nversion = \"2\"\n",
        ),
        (
            "inventory/test.toml",
            "extends = \"middle\"\n[hosts]\nb = { address = \"192.0.2.2\", groups = [\"web\"] }\n[groups.web.vars]\nsize = 2\n[vars]\nname = \"test\"\n",
        ),
    ]);
    let environment = project
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    let hosts: Vec<_> = environment.hosts.iter().map(|host| &*host.name).collect();
    assert_eq!(hosts, ["b"], "[hosts] replaces as a whole");
    let ssh = &environment.hosts[0].ssh;
    assert_eq!((ssh.user.as_deref(), ssh.port), (Some("deploy"), Some(22)));
    let spec = environment.recipes[0].by_host["b"]
        .container
        .clone()
        .expect("a container");
    assert_eq!(spec.image, "web:2");
    assert_eq!(spec.command, ["test red 2 test"]);
}

#[test]
fn a_registry_is_taken_over_key_by_key() {
    let project = TestProject::new(&[
        (
            "recipes/web.toml",
            "hosts = \"all\"\ncontainer.image = \"w\"\n",
        ),
        (
            "inventory/base.toml",
            "recipes = [\"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n[registries.\"r.example\"]\nusername = \"deploy\"\npassword = { file = \"base\" }\n",
        ),
        (
            "inventory/test.toml",
            "extends = \"base\"\n[registries.\"r.example\"]\npassword = { env = \"TEST\" }\n",
        ),
    ]);
    let environment = project
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    let login = &environment.registries[0];
    assert_eq!(login.username, "deploy");
    assert_eq!(login.password, SecretSource::Env("TEST".to_owned()));
}

#[test]
fn groups_that_only_the_base_has_hosts_for_are_no_mistake() {
    let project = TestProject::new(&[
        (
            "recipes/web.toml",
            "hosts = \"all\"\ncontainer.image = \"w\"\n",
        ),
        ("inventory/base.toml", BASE),
        (
            "inventory/test.toml",
            "extends = \"base\"\n[hosts]\nb = { address = \"192.0.2.2\" }\n",
        ),
    ]);
    assert_eq!(project.shown(), "no mistakes\n");
}

#[test]
fn extends_ends_somewhere() {
    let project = TestProject::new(&[
        ("recipes/web.toml", WEB),
        (
            "inventory/test.toml",
            "extends = \"other\"\nhosts.a.address = \"192.0.2.1\"\n",
        ),
        ("inventory/other.toml", "extends = \"test\"\nbogus = 1\n"),
        (
            "inventory/lost.toml",
            "extends = \"tset\"\nhosts.a.address = \"192.0.2.1\"\n",
        ),
    ]);
    assert_snapshot!("extends_cycle", project.shown());
    let lost = project.load("lost").expect_err("no such base");
    assert_snapshot!("extends_unknown", lost.render(Style::Plain, 100));
    let unknown = project.load("ohter").expect_err("no such environment");
    assert_snapshot!("unknown_environment", unknown.render(Style::Plain, 100));
}

#[test]
fn the_default_environment_is_the_only_one_or_the_one_that_says_so() {
    let only = TestProject::new(&[("inventory/only.toml", "")]);
    assert_eq!(
        default_environment(&only.project()).as_deref().ok(),
        Some("only")
    );

    let said = TestProject::new(&[
        ("inventory/a.toml", ""),
        ("inventory/b.toml", "default = true"),
    ]);
    assert_eq!(
        default_environment(&said.project()).as_deref().ok(),
        Some("b")
    );

    let render = |project: &TestProject| {
        let problems = default_environment(&project.project()).expect_err("no telling which");
        problems.render(Style::Plain, 100)
    };
    let none = TestProject::new(&[("inventory/a.toml", ""), ("inventory/b.toml", "")]);
    assert_snapshot!("no_default", render(&none));
    let two = TestProject::new(&[
        ("inventory/a.toml", "default = true\n"),
        ("inventory/b.toml", "default = true\n"),
    ]);
    assert_snapshot!("two_defaults", render(&two));
    let empty = TestProject::new(&[("inventory/README", "")]);
    assert_snapshot!("no_environment", render(&empty));
}

#[test]
fn the_project_is_the_nearest_folder_upwards_with_an_inventory() {
    let test = TestProject::new(&[("inventory/a.toml", ""), ("deep/er/x", "")]);
    let project = test.project();
    assert_eq!(
        Project::find(&project.root.join("deep/er")).ok(),
        Some(project.clone())
    );
    let names: Vec<_> = project
        .environments()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["a"]);
    let outside = Project::find(std::path::Path::new("/")).expect_err("no project there");
    assert_eq!(
        outside.to_string(),
        "no folder `inventory` in `/` or above it"
    );
}
