//! Files with mistakes: exit status 2, every mistake at once with a hint, and no host contacted.

use insta::assert_snapshot;

use super::typed::{INVENTORY, Listener, Shell, WEB};

#[test]
fn every_mistake_of_every_file_is_shown_at_once_and_nobody_is_contacted() {
    let host = Listener::new();
    let inventory = INVENTORY.replace("PORT", &host.port().to_string());
    let shell = Shell::new(&[
        (
            "inventory/staging.toml",
            &format!("{inventory}usr = \"nobody\"\n"),
        ),
        (
            "recipes/web.toml",
            "hosts = \"balancers\"\n[container]\nimage = 5\ncommand = [\"{{colour}}\"]\n",
        ),
    ]);
    for line in [
        "deploy staging",
        "validate staging",
        "status",
        "exec -- true",
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        for mistake in [
            "unknown key `usr`",
            "`balancers`",
            "inventory/staging.toml:",
            "recipes/web.toml:",
            "hint:",
        ] {
            assert!(
                answer.stderr.contains(mistake),
                "{line}: {mistake}: {}",
                answer.stderr
            );
        }
    }
    assert!(!host.was_contacted());
}

/// A kind of mistake, the files that have it, and what is said.
type Case<'a> = (&'a str, Vec<(&'a str, String)>, &'a str);

#[test]
fn each_kind_of_mistake_ends_with_2_and_a_hint() {
    let host = Listener::new();
    let good = INVENTORY.replace("PORT", &host.port().to_string());
    let inventory = |text: String| vec![("inventory/staging.toml", text)];
    let recipe = |text: &str| vec![("recipes/web.toml", text.to_owned())];
    let second = "host-1 = { address = \"127.0.0.1\" }\nhost-2 = { address = \"127.0.0.1\" }";
    let first = good
        .lines()
        .find(|line| line.starts_with("host-1"))
        .expect("a host");
    let cases: Vec<Case> = vec![
        (
            "an unknown key",
            inventory(format!("colour = 1\n{good}")),
            "unknown key `colour`",
        ),
        (
            "a wrong type",
            recipe("hosts = \"all\"\ncontainer.image = 5\n"),
            "image",
        ),
        (
            "an unknown host or group",
            recipe(&WEB.replace("all", "app")),
            "`app`",
        ),
        (
            "an unknown name in a template",
            recipe(&WEB.replace("web:1", "web:{{vresion}}")),
            "vresion",
        ),
        (
            "an unknown recipe",
            inventory(good.replace("\"web\"", "\"wbe\"")),
            "`wbe`",
        ),
        (
            "a circle",
            vec![
                (
                    "inventory/staging.toml",
                    good.replace("\"web\"", "\"web\", \"api\""),
                ),
                ("recipes/web.toml", format!("requires = [\"api\"]\n{WEB}")),
                ("recipes/api.toml", format!("requires = [\"web\"]\n{WEB}")),
            ],
            "require",
        ),
        (
            "an address twice",
            inventory(good.replace(first, second)),
            "127.0.0.1",
        ),
        ("an empty inventory", inventory(String::new()), "host"),
    ];
    for (kind, files, said) in cases {
        let shell = Shell::with_host_at(host.port());
        for (path, content) in files {
            shell.write(path, &content);
        }
        let answer = shell.type_line("deploy staging");
        answer.is_a_mistake();
        for part in [said, "error: ", "hint:"] {
            assert!(
                answer.stderr.contains(part),
                "{kind}: {part}\n{}",
                answer.stderr
            );
        }
    }
    assert!(!host.was_contacted());
}

#[test]
fn a_recipe_without_a_file_is_named() {
    let shell = Shell::with_host_at(9);
    std::fs::remove_file(shell.path().join("recipes/web.toml")).expect("it was there");
    assert_snapshot!(shell.type_line("validate").shown(), @r#"
        [stderr]
          error: unknown recipe `web`: no file `recipes/web.toml`
           ,-[inventory/staging.toml:1:12]
         1 | recipes = ["web"]
           :            ^^|^^
           :              `-- no such file
         2 | [hosts]
           `----

          hint: the recipes are none
        [exit 2]
    "#);
}

#[test]
fn without_a_project_there_is_a_hint_where_to_go() {
    let shell = Shell::new(&[]);
    assert_snapshot!(shell.type_line("deploy staging").shown(), @"
        [stderr]
          error: no folder `inventory` in `/project` or above it

          hint: `shipit init` begins a project here; `-C DIR` names one elsewhere
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("-C /nowhere validate").shown(), @"
        [stderr]
          error: no folder `inventory` in `/nowhere` or above it

          hint: `shipit init` begins a project here; `-C DIR` names one elsewhere
        [exit 2]
    ");
}

#[test]
fn an_unknown_environment_is_answered_with_those_there_are() {
    let shell = Shell::with_host_at(9);
    shell.write("inventory/production.toml", "extends = \"staging\"\n");
    assert_snapshot!(shell.type_line("deploy nightly").shown(), @"
        [stderr]
          error: no environment `nightly`: no file `inventory/nightly.toml`

          hint: the environments here are `production` and `staging`
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("deploy stagign").shown(), @"
        [stderr]
          error: no environment `stagign`: no file `inventory/stagign.toml`

          hint: did you mean `staging`?
        [exit 2]
    ");
}

#[test]
fn of_several_environments_one_must_be_named() {
    let shell = Shell::with_host_at(9);
    shell.write("inventory/production.toml", "extends = \"staging\"\n");
    assert_snapshot!(shell.type_line("rollback").shown(), @"
        [stderr]
          error: which environment? there are several, and none has `default = true`

          hint: name one of `production` and `staging`
        [exit 2]
    ");
}

#[test]
fn a_project_without_an_environment_says_so() {
    let shell = Shell::new(&[("inventory/README", "")]);
    assert_snapshot!(shell.type_line("validate").shown(), @"
        [stderr]
          error: no environment: `inventory/` has no file `NAME.toml`

          hint: `shipit init` writes one, and asks what should be in it
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("deploy").shown(), @"
        [stderr]
          error: no environment: `inventory/` has no file `NAME.toml`

          hint: `shipit init` writes one, and asks what should be in it
        [exit 2]
    ");
}

#[test]
fn a_file_that_is_no_toml_is_shown_where_it_stops_being_it() {
    let shell = Shell::with_host_at(9);
    shell.write("inventory/staging.toml", "[hosts\n");
    assert_snapshot!(shell.type_line("validate staging").shown(), @"
        [stderr]
          error: not TOML: unclosed table, expected `]`
           ,-[inventory/staging.toml:1:7]
         1 | [hosts
           :       ^
           :       `-- here
           `----
        [exit 2]
    ");
}

#[test]
fn a_mistyped_name_behind_set_stops_the_run_but_not_the_check_of_several_environments() {
    let host = Listener::new();
    let inventory = INVENTORY.replace("PORT", &host.port().to_string());
    let shell = Shell::new(&[
        ("inventory/staging.toml", &inventory),
        (
            "recipes/web.toml",
            "hosts = \"all\"\n[container]\nimage = \"web:{{version}}\"\n",
        ),
    ]);
    for line in [
        "deploy staging --set version=v3 --set verison=v3",
        "plan staging --set version=v3 --set verison=v3",
        "validate --set version=v3 --set verison=v3",
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert!(
            answer.stderr.contains("did you mean `version`?"),
            "{}",
            answer.stderr
        );
    }
    assert!(!host.was_contacted());
    shell.write(
        "inventory/other.toml",
        &inventory.replace("[\"web\"]", "[\"db\"]"),
    );
    shell.write(
        "recipes/db.toml",
        "hosts = \"all\"\n[container]\nimage = \"db:1\"\n",
    );
    let answer = shell.type_line("validate --set version=v3");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("nothing in `other` uses `version`"),
        "{}",
        answer.stderr
    );
}
