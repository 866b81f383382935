//! Templates in recipes: what they can name, and the place of what they cannot.

use insta::assert_snapshot;
use shipit::model::{LateValues, TaskAction};

use super::project::TestProject;

#[test]
fn a_wrong_template_is_underlined_within_its_string() {
    let project = TestProject::of_recipe(
        r#"
hosts = "web"
description = "é {{nope}}"

[container]
image = "web:{{versoin}}"
command = [
    "--a={{count groups.wbe}}",
    "\t\"{{host.adress}}",
    '''
one
two {{three}}''',
    "{{#if x}}",
    "{{#each hosts}}{{nmae}}{{/each}}",
    "{{contianer}} {{release}}",
]
env = { A = "{{cuont hosts}}" }

[vars]
version = "1"

[[after]]
run = "docker exec {{container}} a {{vresion}} {{release}}"

[ready]
run = "{{"

[probe]
url = "http://{{host.address}}/"
"#,
    );
    assert_snapshot!(project.shown());
}

#[test]
fn a_wrong_template_of_a_whole_fleet_is_shown_once() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\"]\n[hosts]\n\"web-[001:250]\" = { address = \"10.0.[1:250].1\" }\n",
        ),
        (
            "recipes/web.toml",
            "hosts = \"all\"\ncontainer.image = \"{{image}}\"\n",
        ),
    ]);
    let problems = project.load("test").expect_err("an unknown name");
    assert_eq!(problems.iter().count(), 1);
}

#[test]
fn a_mistake_in_an_uploaded_template_has_its_place_there() {
    let project = TestProject::of_recipe(
        "hosts = \"web\"\n[[commands]]\nupload = { from = \"files/a.conf\", to = \"/a\", template = true }\n",
    );
    project.write("files/a.conf", "first \"line\"\nsecond {{liine}}\n");
    assert_snapshot!(project.shown());
}

#[test]
fn the_nearest_of_all_vars_wins() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            r#"
recipes = ["web"]
[hosts]
a = { address = "192.0.2.1", groups = ["g"], vars = { own_var = "host" } }
b = { address = "192.0.2.2", groups = ["g"] }
c = { address = "192.0.2.3" }
[groups.g.vars]
own_var = "group"
group_var = "group"
[vars]
own_var = "inventory"
group_var = "inventory"
inventory_var = "inventory"
set_var = "inventory"
number = 1.10
"#,
        ),
        (
            "recipes/web.toml",
            r#"
hosts = "all"
[vars]
own_var = "recipe"
group_var = "recipe"
inventory_var = "recipe"
recipe_var = "recipe"
[container]
image = "i"
command = ["{{own_var}} {{group_var}} {{inventory_var}} {{recipe_var}} {{set_var}} {{number}}"]
"#,
        ),
    ]);
    let loaded = project
        .load_with(&[("set_var", "set")])
        .unwrap_or_else(|problems| panic!("{problems}"));
    let command = |host: &str| {
        let on = &loaded.environment.recipes[0].by_host[host];
        on.container
            .as_ref()
            .map(|container| container.command[0].clone())
            .unwrap_or_default()
    };
    assert_eq!(command("a"), "host group inventory recipe set 1.10");
    assert_eq!(command("b"), "group group inventory recipe set 1.10");
    assert_eq!(
        command("c"),
        "inventory inventory inventory recipe set 1.10"
    );
}

#[test]
fn what_is_set_is_what_it_would_be_in_a_file_and_is_printed_as_it_was_typed() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n[vars]\nversion = \"1.2\"\nanswer = 0\n",
        ),
        (
            "recipes/web.toml",
            r#"
hosts = "all"
[container]
image = "i"
command = ["{{answer}}", "{{#if answer}}yes{{else}}no{{/if}}", "{{eq answer 3}}", '{{eq version "1.3"}}']
"#,
        ),
    ]);
    for (answer, yes, is_three) in [
        ("true", "yes", "false"),
        ("false", "no", "false"),
        ("False", "yes", "false"),
        ("3", "yes", "true"),
        ("0", "no", "false"),
        ("-1", "yes", "false"),
        ("2.5", "yes", "false"),
        ("1.10", "yes", "false"),
        ("007", "yes", "false"),
        ("1e3", "yes", "false"),
        ("99999999999999999999", "yes", "false"),
        (" 3", "yes", "false"),
        ("null", "yes", "false"),
        ("[1]", "yes", "false"),
    ] {
        // A var that the files have as a string stays one.
        let loaded = project
            .load_with(&[("answer", answer), ("version", "1.3")])
            .unwrap_or_else(|problems| panic!("{problems}"));
        let on = &loaded.environment.recipes[0].by_host["a"];
        let command = on.container.as_ref().map(|container| &*container.command);
        let expected = [answer, yes, is_three, "true"].map(str::to_owned);
        assert_eq!(command, Some(&expected[..]), "{answer}");
    }
}

#[test]
fn braces_of_another_tool_are_told_how_to_write_them() {
    let project = TestProject::of_recipe(
        r#"
hosts = "web"
[container]
image = "web"
[container.labels]
one = "host is {{ .Name }}"
two = 'host is {{index .Labels "x"}}'
three = "{{instance}}"
four = '{{service x}}'
five = "\\{{ .Name }}"
six = '\{{ .Name }}'
"#,
    );
    assert_snapshot!(project.shown());
}

#[test]
fn a_var_that_a_shell_would_read_is_a_warning() {
    let project = TestProject::of_recipe(
        r#"
hosts = "web"
[container]
image = "web"
[vars]
version = "1"
[[after]]
run = "docker exec {{container}} tag {{version}} on {{host.name}}"
[[after]]
run = "docker exec {{container}} tag {{quote version}} on {{host.name}}"
"#,
    );
    let loaded = project.load_with(&[("version", "1; reboot")]);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    assert_snapshot!(loaded.warnings);
    let on = &loaded.environment.recipes[0].by_host["web-1"];
    let late = LateValues::dummy();
    let scripts = on.after.iter().map(|task| match &task.action {
        TaskAction::Run(script) => script.render(&late).expect("a script"),
        TaskAction::RunInNew(_) | TaskAction::Upload { .. } => unreachable!("none is written"),
    });
    let scripts: Vec<_> = scripts.collect();
    assert_eq!(scripts[0], "docker exec container tag 1; reboot on web-1");
    assert_eq!(scripts[1], "docker exec container tag '1; reboot' on web-1");
}
