//! `shipit init`: what it writes, what it asks, and what it leaves alone.

use std::{fs, path::Path};

use insta::assert_snapshot;

use super::typed::Shell;

const TWO_HOSTS: &str = "init --host web-1=10.0.0.11 --host web-2=10.0.0.12 --user deploy --recipe web=nginx:1.27 --publish web=8080:80";

/// Every file below a folder but the schemas, one after the other.
pub fn files_of(root: &Path) -> String {
    let mut paths = Vec::new();
    for folder in ["inventory", "recipes"] {
        let entries = fs::read_dir(root.join(folder)).expect("the folder");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.sort();
    let file = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(root).expect("below it").display();
        let text = fs::read_to_string(path).expect("a text");
        format!("==> {name}\n{text}")
    };
    paths.iter().map(file).collect::<Vec<_>>().join("\n")
}

#[track_caller]
pub fn is_valid(shell: &Shell) {
    let answer = shell.type_line("validate");
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    assert!(!answer.stderr.contains("error"), "{}", answer.shown());
}

#[test]
fn a_project_from_flags() {
    let shell = Shell::new(&[]);
    assert_snapshot!(shell.type_line(TWO_HOSTS).shown());
    assert_snapshot!(files_of(shell.path()));
    assert_snapshot!(shell.type_line("validate").shown());
    let ignored = fs::read_to_string(shell.path().join(".gitignore"));
    assert_eq!(ignored.expect("it was written"), ".shipit/\n");
}

#[test]
fn what_init_wrote_is_what_the_schemas_and_the_next_command_find() {
    let shell = Shell::new(&[]);
    shell.type_line(TWO_HOSTS);
    for name in ["inventory", "recipe"] {
        let kept = fs::read_to_string(format!("schema/{name}.json")).expect("it is kept");
        let written = shell.path().join(format!("schema/{name}.json"));
        assert_eq!(fs::read_to_string(written).expect("it was written"), kept);
    }
    let answer = shell.type_line("validate --set version=1.28");
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
}

#[test]
fn several_recipes_have_a_version_each() {
    let shell = Shell::new(&[]);
    let answer = shell.type_line(
        "init --environment production --host a=10.0.0.1 --user root --recipe web=nginx:1.27 --recipe cache=redis:8 --recipe own=app",
    );
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    assert_snapshot!(files_of(shell.path()));
    is_valid(&shell);
}

#[test]
fn the_stack_of_the_reference_topology() {
    let shell = Shell::new(&[]);
    let answer = shell.type_line(
        "init --stack consul --host host-1=10.0.0.11 --host host-2=10.0.0.12 --host host-3=10.0.0.13 --user deploy",
    );
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    let inventory = fs::read_to_string(shell.path().join("inventory/staging.toml"));
    assert_snapshot!(inventory.expect("it was written"));
    for name in ["consul", "registrator", "dr-con", "flask-nanoservice"] {
        let ours = fs::read_to_string(format!("recipes/{name}.toml")).expect("ours");
        let written = shell.path().join(format!("recipes/{name}.toml"));
        assert_eq!(fs::read_to_string(written).expect("it was written"), ours);
    }
    assert_eq!(
        shell.type_line("validate").shown(),
        "[stdout]\nstaging: 3 hosts, 4 recipes\n[exit 0]\n"
    );
}

/// A stack of `docs/balancers.md`, and the files of its own.
const STACKS: [(&str, [&str; 3]); 3] = [
    (
        "nginx",
        ["recipes/lb.toml", "recipes/web.toml", "files/web.conf"],
    ),
    (
        "haproxy",
        [
            "recipes/haproxy.toml",
            "recipes/shop.toml",
            "files/haproxy.cfg",
        ],
    ),
    (
        "caddy",
        [
            "recipes/caddy.toml",
            "recipes/blog.toml",
            "files/caddy.json",
        ],
    ),
];

#[test]
fn the_stacks_are_what_the_page_of_balancers_shows() {
    let page = fs::read_to_string("docs/balancers.md").expect("the page");
    for (stack, files) in STACKS {
        let shell = Shell::new(&[]);
        let answer = shell.type_line(&format!(
            "init --stack {stack} --host app-1=10.0.0.11 --host app-2=10.0.0.12 --host lb=10.0.0.13 --user deploy"
        ));
        assert_eq!(answer.code, Some(0), "{}", answer.shown());
        for path in files {
            let written = fs::read_to_string(shell.path().join(path)).expect(path);
            let text = match written.strip_prefix("#:schema ../schema/recipe.json\n") {
                Some(text) => text,
                None => &written,
            };
            assert!(
                page.contains(&format!("\n# {path}\n{text}```\n")),
                "{written}"
            );
        }
        let inventory = fs::read_to_string(shell.path().join("inventory/staging.toml"));
        assert_snapshot!(stack, inventory.expect("it was written"));
        assert_eq!(
            shell.type_line("validate").shown(),
            "[stdout]\nstaging: 3 hosts, 2 recipes\n[exit 0]\n"
        );
    }
}

#[test]
fn one_host_has_the_whole_stack() {
    for stack in ["consul", "nginx", "haproxy", "caddy"] {
        let shell = Shell::new(&[]);
        shell.type_line(&format!(
            "init --stack {stack} --host a=10.0.0.11 --user deploy"
        ));
        is_valid(&shell);
    }
}

#[test]
fn what_is_missing_is_named_with_its_flag() {
    let shell = Shell::new(&[]);
    assert_snapshot!(shell.type_line("init").shown());
    assert_snapshot!(
        shell
            .type_line("init --host a=10.0.0.1 --recipe web=nginx")
            .shown()
    );
    assert!(!shell.path().join("inventory").exists());
}

#[test]
fn what_was_typed_and_cannot_be_written_is_told_as_it_was_typed() {
    let shell = Shell::new(&[]);
    let of = |hosts: &str| format!("init {hosts} --user root --recipe web=nginx:1");
    let twice = of("--host a=192.0.2.1 --host a=192.0.2.2");
    assert_snapshot!(shell.type_line(&twice).shown());
    let same = of("--host a=192.0.2.1 --host b=192.0.2.1");
    assert_snapshot!(shell.type_line(&same).shown());
    let odd = of("--host a=http://192.0.2.1");
    assert_snapshot!(shell.type_line(&odd).shown());
    assert!(!shell.path().join("inventory").exists());
}

#[test]
fn nothing_is_overwritten() {
    let shell = Shell::new(&[
        ("recipes/web.toml", "mine"),
        (".gitignore", "target"),
        ("schema/recipe.json", "{}"),
    ]);
    assert_snapshot!(shell.type_line(TWO_HOSTS).shown());
    assert!(!shell.path().join("inventory").exists());

    let other = TWO_HOSTS.replace("web=", "shop=");
    let answer = shell.type_line(&other);
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    let read = |path: &str| fs::read_to_string(shell.path().join(path)).expect("it is there");
    assert_eq!(read("recipes/web.toml"), "mine");
    assert_eq!(read("schema/recipe.json"), "{}");
    assert_eq!(read(".gitignore"), "target\n.shipit/\n");
    let again = shell.type_line(&other);
    again.is_a_mistake();
    assert!(
        again
            .stderr
            .contains("`inventory/staging.toml` and `recipes/shop.toml` are there already"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_second_environment_beside_the_first() {
    let shell = Shell::new(&[]);
    shell.type_line(TWO_HOSTS);
    let answer = shell.type_line(
        "init --environment production --host p=10.0.0.21 --user deploy --recipe shop=nginx:1.27",
    );
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    is_valid(&shell);
    let ignored = fs::read_to_string(shell.path().join(".gitignore"));
    assert_eq!(ignored.expect("it was written"), ".shipit/\n", "once");
}

#[test]
fn what_would_not_be_a_project_is_not_written() {
    let shell = Shell::new(&[]);
    for (line, says) in [
        (
            "init --host a --user b --recipe web=nginx",
            "expected NAME=ADDRESS",
        ),
        (
            "init --host a=1 --user b --recipe web=a:b:c",
            "is not an image",
        ),
        (
            "init --host a=10.0.0.1 --user b --recipe web=nginx --publish db=80",
            "is about no recipe",
        ),
        (
            "init --host a=10.0.0.1 --user b --recipe web=nginx --publish web=http",
            "http",
        ),
        (
            "init --host a=10.0.0.1 --user b --recipe web=nginx --recipe web=nginx",
            "two recipes are called `web`",
        ),
        (
            "init --host a=10.0.0.1 --host b=10.0.0.1 --user b --recipe web=nginx",
            "10.0.0.1",
        ),
        (
            "init --host all=10.0.0.1 --user b --recipe web=nginx",
            "`all`",
        ),
        (
            "init --stack consul --recipe web=nginx",
            "cannot be used with",
        ),
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert!(answer.stderr.contains(says), "{line}: {}", answer.stderr);
        assert!(!shell.path().join("inventory").exists(), "{line}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let shell = Shell::new(&[("file", "")]);
    let answer = shell.type_line(&format!("-C file {TWO_HOSTS}"));
    answer.is_a_mistake();
    assert!(
        answer.stderr.contains("cannot write to `file`"),
        "{}",
        answer.stderr
    );
}

#[test]
fn on_a_terminal_it_asks_for_what_is_missing() {
    let shell = Shell::new(&[]);
    let typed = "10.0.0.11\nweb-2 = 10.0.0.12\n=\n\ndeploy\nweb=nginx:1.27\nport 80\n8080:80\n\n";
    let answer = shell.at_a_terminal("init", typed, 80);
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    for asked in [
        "Host 1 (ADDRESS or NAME=ADDRESS): ",
        "expected NAME=ADDRESS",
        "Account to log in as [root]: ",
        "Recipe 1 (NAME=IMAGE, such as web=nginx:1.27): ",
        "Port of web ",
        "Recipe 2 (NAME=IMAGE, or nothing): ",
        "shipit deploy staging",
    ] {
        assert!(answer.stdout.contains(asked), "{asked}: {}", answer.stdout);
    }
    assert_snapshot!(files_of(shell.path()));
    is_valid(&shell);
}

#[test]
fn on_a_terminal_it_asks_for_nothing_that_was_said() {
    let shell = Shell::new(&[]);
    let answer = shell.at_a_terminal(TWO_HOSTS, "", 80);
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    assert!(!answer.stdout.contains("Host 1"), "{}", answer.stdout);
}
