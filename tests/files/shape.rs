//! TOML that is none, keys that are none, values of the wrong type.

use insta::assert_snapshot;
use shipit::diagnostic::Style;

use super::project::TestProject;

#[test]
fn all_mistakes_of_all_files_are_shown_at_once() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            r#"
recipes = ["web", "wrker", "broken"]
releases = { keeep = 3 }

[hosts]
web-1 = { adress = "192.0.2.1", groups = ["web"] }
web-2 = { address = "192.0.2.2", groups = "web", port = 99999 }
web-3 = "192.0.2.3"

[ssh]
host_keys = "accept_new"
connect_timeout = 10
become = "yes"
"#,
        ),
        (
            "recipes/web.toml",
            r#"
hosts = "wbe"
colour = "blue"

[container]
image = 5
command = ["a", 1, true]
env = { PORT = 8080, DEBUG = true, RATIO = 1.50, WHEN = 2020-01-01, LIST = [] }
stop_timeout = "soon"

[rollout]
order = "start-frist"
max_parallel = "0%"
canary = -1
"#,
        ),
        (
            "recipes/worker.toml",
            "hosts = \"all\"\ncontainer.image = \"x\"\n",
        ),
        (
            "recipes/broken.toml",
            "hosts = \"all\"\n[container\nimage = \"x\"\n",
        ),
    ]);
    assert_snapshot!(project.shown());
}

#[test]
fn an_inventory_that_is_not_toml_hides_no_mistake_of_a_recipe() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\"]\n[hosts]\nweb-1 = { address = \"192.0.2.1\n",
        ),
        (
            "recipes/web.toml",
            "host = \"all\"\ncontainer.image = \"{{nope}}\"\n",
        ),
    ]);
    assert_snapshot!(project.shown());
}

#[test]
fn a_suggestion_is_made_only_when_one_is_clearly_nearest() {
    let shown = TestProject::of_recipe(
        "hosts = \"all\"\n[container]\nimage = \"a\"\nvolume = []\nimgae = \"b\"\nfrobnicate = 1\n",
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_setting_below_the_hosts_is_told_where_it_belongs() {
    let shown = TestProject::of_inventory(
        "[hosts]\na = { address = \"192.0.2.1\" }\nrecipes = [\"web\"]\n",
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_setting_below_the_vars_is_told_where_it_belongs() {
    let below_vars = |lines: &str| {
        TestProject::of_inventory(&format!(
            "[hosts]\na = {{ address = \"192.0.2.1\" }}\n[vars]\nversion = 1\n{lines}"
        ))
        .shown()
    };
    assert_snapshot!(
        "a_setting_below_the_vars",
        below_vars("recipes = [\"web\"]\ndefault = true\nextends = \"base\"\n")
    );
    let shown = below_vars("recipes = 3\ndefault = \"x\"\n");
    assert!(!shown.contains("stands below"), "{shown}");
}

#[test]
fn other_tools_forms_are_told_those_of_here() {
    let hosts = TestProject::of_inventory(
        "recipes = [\"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\nhost-2 = \"10.0.0.1\"\n",
    );
    assert_snapshot!("a_host_is_an_address", hosts.shown());
    let recipe = TestProject::of_recipe(
        r#"
hosts = "web"
after = { run = "true" }

[container]
image = "web"
env = ["A=b", "app.level=x=\"y\""]
secrets = { PW = "x" }

[before]
run = "true"

[commands]
run = "true"
"#,
    );
    assert_snapshot!("forms_of_other_tools", recipe.shown());
}

#[test]
fn a_nul_byte_is_refused() {
    let shown = TestProject::of_recipe(
        "hosts = \"all\"\n[container]\nimage = \"a\"\nenv = { A = \"\\u0000\" }\n",
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_file_that_is_not_text_is_named() {
    let project = TestProject::of_recipe("");
    std::fs::write(
        project.project().root.join("recipes/web.toml"),
        [0xff, 0xfe],
    )
    .expect("the file");
    assert_snapshot!(project.shown());
}

#[test]
fn a_terminal_gets_boxes_and_colours() {
    let problems = TestProject::of_recipe("hosts = \"all\"\n[container]\nimgae = \"b\"\n")
        .load("test")
        .expect_err("a wrong key");
    assert_snapshot!("boxes", problems.render(Style::Boxes, 80));
    assert!(problems.render(Style::Colours, 80).contains("\u{1b}["));
    assert!(!problems.render(Style::Plain, 80).contains('\u{1b}'));
    assert!(problems.render(Style::Plain, 80).is_ascii());
}
