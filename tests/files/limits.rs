//! Files that would never end, or never end well.

use std::{fmt::Write as _, process::Command, time::Duration};

use insta::assert_snapshot;
use rustix::time::{ClockId, clock_gettime};
use shipit::diagnostic::Style;

use super::project::{TestProject, shown};

#[test]
fn a_template_with_partials_is_refused() {
    let project = TestProject::of_recipe(
        r#"
hosts = "all"
[container]
image = "x"
env = { A = '{{#*inline "x"}}{{> x}}{{/inline}}{{> x}}', B = "{{#each hosts}}{{> name}}{{/each}}" }
"#,
    );
    assert_snapshot!(project.shown());
}

#[test]
fn deep_nesting_is_refused_at_its_place() {
    let env = |value: &str| {
        let recipe =
            format!("hosts = \"all\"\n[container]\nimage = \"x\"\nenv = {{ A = '{value}' }}\n");
        TestProject::of_recipe(&recipe).shown()
    };
    let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(20_000));
    assert_snapshot!("else_chain", env(&chain));
    let brackets = format!(
        "{{{{count {}hosts{}}}}}",
        "(count ".repeat(9000),
        ")".repeat(9000)
    );
    assert_snapshot!("brackets", env(&brackets));
    let tables = TestProject::of_recipe(&format!("a{} = 1\n", ".a".repeat(50_000)));
    assert_snapshot!("dotted_key", tables.shown());
    let arrays = TestProject::of_recipe(&format!("a = {}", "[".repeat(50_000)));
    assert_snapshot!("arrays", arrays.shown());
}

#[test]
fn many_mistakes_are_shown_in_part() {
    let words = vec!["1"; 8000].join(",");
    let recipe = format!("hosts = \"all\"\ncontainer = {{ image = \"x\", options = [{words}] }}\n");
    let lines: String = (0..8000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "key{number} = 1");
        text
    });
    for recipe in [recipe, lines, "=\n".repeat(8000)] {
        let began = at_work();
        let shown = TestProject::of_recipe(&recipe).shown();
        assert!(at_work() - began < 20.0);
        assert!(shown.len() < 100_000, "{}", shown.len());
        assert!(shown.ends_with(" more errors\n"), "{shown}");
    }
}

#[test]
fn errors_are_shown_before_warnings_where_not_all_are() {
    let vars: String = (0..200).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "env.A{number} = \"{{{{unknown{number}}}}}\"");
        text
    });
    let problems = TestProject::of_recipe(&format!(
        "hosts = \"all\"\n[container]\nimage = \"x\"\n{vars}"
    ))
    .load("test")
    .expect_err("unknown names");
    let text = problems.render(Style::Plain, 100);
    assert!(text.ends_with("\n  100 more errors\n"), "{text}");
}

#[test]
fn a_long_line_is_shown_around_the_mistake() {
    let filler = "x".repeat(20_000);
    let project = TestProject::of_recipe(&format!(
        "hosts = \"all\"\ncontainer = {{ image = \"x\", env = {{ A = \"{filler}\" }}, imgae = \"y\", labels = {{ b = \"{filler}\" }} }}\n"
    ));
    assert_snapshot!(project.shown());
}

#[test]
fn a_file_that_is_no_regular_file_is_not_waited_for() {
    let project = TestProject::of_recipe("");
    let path = project.project().root.join("recipes/web.toml");
    std::fs::remove_file(&path).expect("removed");
    let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    assert_snapshot!("a_pipe", project.shown());

    let project = TestProject::of_recipe(
        "hosts = \"all\"\n[[commands]]\nupload = { from = \"/dev/zero\", to = \"/a\" }\n",
    );
    assert_snapshot!("a_device", project.shown());
}

/// How many seconds this thread was at work so far, whatever else the machine does.
fn at_work() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time").as_secs_f64()
}

/// How many seconds this thread is at work to load a project of so many hosts.
fn work_of_loading(hosts: usize) -> f64 {
    let entries: String = (0..5).fold(String::new(), |mut text, number| {
        let _ = writeln!(
            text,
            "\"web-{number}-[1:{each}]\" = {{ address = \"host-{number}-[1:{each}].example\", groups = [\"web\"], vars = {{ zone = \"z{number}\" }} }}",
            each = hosts / 5,
        );
        text
    });
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            &format!("recipes = [\"web\"]\n[hosts]\n{entries}"),
        ),
        (
            "recipes/web.toml",
            "hosts = \"web\"\n[container]\nimage = \"x\"\nenv = { N = \"{{count hosts}}\", Z = \"{{zone}}\", ME = \"{{host.name}}\" }\n",
        ),
    ]);
    let began = at_work();
    let result = project.load("test");
    let took = at_work() - began;
    assert_eq!(shown(result), "no mistakes\n");
    took
}

#[test]
fn many_hosts_take_no_more_work_each_than_few() {
    let (few, many) = (work_of_loading(2_000), work_of_loading(8_000));
    // Where each host is compared with each other one, this is 16.
    let ratio = many / few;
    assert!(
        ratio < 9.0,
        "four times the hosts, {ratio:.1} times the work"
    );
}

#[test]
fn a_template_that_never_ends_is_refused() {
    let fleet = |hosts: usize, value: &str| {
        let inventory = format!(
            "recipes = [\"web\"]\n[hosts]\n\"web-[1:{hosts}]\" = {{ address = \"web-[1:{hosts}].example\" }}\n"
        );
        let recipe =
            format!("hosts = \"all\"\n[container]\nimage = \"x\"\nenv = {{ A = \"{value}\" }}\n");
        let files = [
            ("inventory/test.toml", &*inventory),
            ("recipes/web.toml", &*recipe),
        ];
        TestProject::new(&files).shown()
    };
    let loops = "{{#each hosts}}{{#each ../hosts}}{{#each ../../hosts}}{{/each}}{{/each}}{{/each}}";
    assert_snapshot!("loops_within_loops", fleet(100, loops));
}

#[test]
fn a_chain_of_inventories_has_an_end() {
    let files: Vec<_> = (0..101)
        .map(|number| {
            let text = match number {
                0 => "recipes = []\n[hosts]\nweb = { address = \"192.0.2.1\" }\n".to_owned(),
                number => format!("extends = \"e{}\"\n", number - 1),
            };
            (format!("inventory/e{number}.toml"), text)
        })
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let project = TestProject::new(&files);
    assert_snapshot!("a_hundred_inventories", shown(project.load("e99")));
    assert_snapshot!("one_inventory_more", shown(project.load("e100")));
}

#[test]
fn an_inventory_that_is_no_regular_file_is_not_waited_for() {
    let project = TestProject::of_recipe("hosts = \"all\"\n[container]\nimage = \"x\"\n");
    let path = project.project().root.join("inventory/test.toml");
    std::fs::remove_file(&path).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &path).expect("linked");
    assert_snapshot!("an_inventory_that_is_a_device", project.shown());
    std::fs::remove_file(&path).expect("removed");
    let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    assert_snapshot!("an_inventory_that_is_a_pipe", project.shown());
}
