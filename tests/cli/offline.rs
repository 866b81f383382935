//! The commands that contact no host.

use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
};

use insta::assert_snapshot;

use super::typed::Shell;

#[test]
fn validate_says_what_each_environment_has() {
    let shell = Shell::with_host_at(9);
    shell.write("inventory/production.toml", "extends = \"staging\"\n");
    assert_snapshot!(shell.type_line("validate").shown(), @"
        [stdout]
        production: 1 host, 1 recipe
        staging: 1 host, 1 recipe
        [exit 0]
    ");
    assert_snapshot!(shell.type_line("validate staging").shown(), @"
        [stdout]
        staging: 1 host, 1 recipe
        [exit 0]
    ");
    assert_snapshot!(shell.type_line("validate -q").shown(), @"[exit 0]");
}

#[test]
fn what_contacts_no_host_and_is_read_by_programs_is_json() {
    let shell = Shell::with_host_at(9);
    let answer = shell.type_line("validate --output json");
    assert_snapshot!(answer.shown(), @r#"
        [stdout]
        [
          {
            "environment": "staging",
            "hosts": 1,
            "recipes": 1
          }
        ]
        [exit 0]
    "#);
    assert_snapshot!(shell.type_line("secret list --output json -q").shown(), @"
        [stdout]
        []
        [exit 0]
    ");
    shell.write("recipes/web.toml", "");
    shell.type_line("validate --output json").is_a_mistake();
}

#[test]
fn validate_takes_vars_that_only_the_command_line_has() {
    let shell = Shell::with_host_at(9);
    shell.write(
        "recipes/web.toml",
        "hosts = \"all\"\ncontainer.image = \"web:{{tag}}\"\n",
    );
    shell.type_line("validate staging").is_a_mistake();
    for line in ["validate staging --set tag=2", "validate --set tag=2"] {
        assert_eq!(
            shell.type_line(line).shown(),
            "[stdout]\nstaging: 1 host, 1 recipe\n[exit 0]\n"
        );
    }
}

#[test]
fn validate_finds_two_defaults() {
    let shell = Shell::with_host_at(9);
    for name in ["production", "test"] {
        let path = format!("inventory/{name}.toml");
        shell.write(&path, "default = true\nextends = \"staging\"\n");
    }
    let answer = shell.type_line("validate");
    answer.is_a_mistake();
    let mistake = "which environment? several have `default = true`";
    assert!(answer.stderr.contains(mistake), "{}", answer.stderr);
    assert_eq!(shell.type_line("validate test").code, Some(0));
}

#[test]
fn validate_finds_what_no_environment_leads_to() {
    let shell = Shell::with_host_at(9);
    shell.write(
        "recipes/spare.toml",
        "hosts = \"all\"\ncontainer.image = \"spare\"\n",
    );
    shell.write("recipes/old web.toml", "nonsense\n");
    shell.write("recipes/.#web.toml", "nonsense\n");
    shell.write("inventory/prod!.toml", "nonsense\n");
    assert_snapshot!(shell.type_line("validate").shown(), @"
        [stdout]
        staging: 1 host, 1 recipe
        [stderr]
          warning: `inventory/prod!.toml` is not read: `prod!` is not a name: a letter or digit first,
          | then letters, digits, `_`, `.` or `-`

          hint: rename the file, or move it elsewhere

          warning: `recipes/old web.toml` is not read: `old web` is not a name: a letter or digit first,
          | then letters, digits, `_`, `.` or `-`

          hint: rename the file, or move it elsewhere

          warning: no environment uses the recipe `spare`

          hint: name it in an inventory, or remove `recipes/spare.toml`
        [exit 0]
    ");
    assert_snapshot!(shell.type_line("validate staging").shown(), @"
        [stdout]
        staging: 1 host, 1 recipe
        [exit 0]
    ");
    shell.write("recipes/spare.toml", "hosts = \"all\"\nimage = \"spare\"\n");
    let answer = shell.type_line("validate");
    answer.is_a_mistake();
    let mistake = "error: unknown key `image` in the recipe\n   ,-[recipes/spare.toml:2:1]";
    assert!(answer.stderr.contains(mistake), "{}", answer.stderr);

    // Who uses it is not known while an inventory cannot be read.
    shell.write("inventory/broken.toml", "recipes = [\n");
    let answer = shell.type_line("validate");
    assert!(
        !answer.stderr.contains("no environment uses"),
        "{}",
        answer.stderr
    );
}

#[test]
fn the_schemas_are_those_that_the_repository_has() {
    let shell = Shell::new(&[]);
    let printed = shell.type_line("schema");
    let all: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let written = shell.type_line("schema --dir made/here");
    assert_eq!(
        (written.code, written.shown()),
        (Some(0), "[exit 0]\n".to_owned())
    );
    for name in ["inventory", "recipe", "hook"] {
        let kept = fs::read_to_string(format!("schema/{name}.json")).expect("it is kept");
        let made = shell.path().join(format!("made/here/{name}.json"));
        assert_eq!(fs::read_to_string(made).expect("it was written"), kept);
        let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
        assert_eq!(all[name], kept);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_a_mistake() {
    let shell = Shell::new(&[("file", "")]);
    for line in ["schema --dir file/below", "man file/below"] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert!(
            answer.stderr.contains("cannot write to `file/below`"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn completions_name_every_command_of_the_help() {
    let shell = Shell::new(&[]);
    let help = shell.type_line("--help").stdout;
    let commands: Vec<_> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once("  "))
        .map(|(word, _)| word)
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()))
        .collect();
    assert!(commands.len() > 10, "{help}");
    let asked = shell.answer(&mut shell.command(&["complete", "--", ""]));
    for (name, said) in [
        ("bash, zsh and fish", asked),
        ("elvish", shell.type_line("completions elvish")),
        ("powershell", shell.type_line("completions powershell")),
    ] {
        assert_eq!((said.code, &*said.stderr), (Some(0), ""));
        for command in &commands {
            assert!(said.stdout.contains(command), "{name}: {command}");
        }
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    let shell = Shell::new(&[]);
    let version = shell.type_line("--version").shown();
    assert_eq!(
        version,
        format!("[stdout]\nshipit {}\n[exit 0]\n", env!("CARGO_PKG_VERSION"))
    );
    for line in ["--help", "-h", "deploy --help"] {
        let answer = shell.type_line(line);
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{line}");
        assert!(answer.stdout.contains("Usage: shipit") || answer.stdout.contains("shipit deploy"));
    }
}

#[test]
fn help_as_a_command_shows_what_the_option_shows() {
    let shell = Shell::new(&[]);
    for (line, same) in [
        ("help", "--help"),
        ("help deploy", "deploy --help"),
        ("help secret", "secret --help"),
        ("help secret set", "secret set --help"),
        ("help depoly", "depoly"),
    ] {
        let (help, same) = (shell.type_line(line), shell.type_line(same));
        assert_eq!(help.shown(), same.shown(), "{line}");
    }
    assert!(
        shell
            .type_line("help deploy")
            .stdout
            .contains("Usage: shipit deploy")
    );
    assert_eq!(shell.type_line("help depoly").code, Some(2));
}

#[test]
fn each_command_has_a_manual_page() {
    let shell = Shell::new(&[]);
    assert_eq!(shell.type_line("man pages").shown(), "[exit 0]\n");
    for page in ["shipit.1", "shipit-deploy.1", "shipit-rollback.1"] {
        let text = fs::read_to_string(shell.path().join("pages").join(page)).expect(page);
        assert!(text.starts_with(".ie"), "{page}: {text}");
    }
}

#[test]
fn what_is_typed_wrong_is_said_in_words_whatever_the_output() {
    let shell = Shell::with_host_at(9);
    for line in [
        "--output json deploy --colour",
        "--output json",
        "--output json deploi",
        "deploy -q -v",
        "run",
        "exec staging",
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert!(
            answer.stderr.contains("error: ") || answer.stderr.contains("Usage"),
            "{}",
            answer.stderr
        );
    }
    assert_snapshot!(shell.type_line("--output json deploy --limt a").shown(), @"
        [stderr]
        error: unexpected argument '--limt' found

          tip: a similar argument exists: '--limit'

        Usage: shipit deploy --limit <HOST|GROUP> [ENV] [RECIPE]...

        For more information, try '--help'.
        [exit 2]
    ");
}

#[test]
fn what_acts_on_a_terminal_is_seen_in_errors_about_the_command_line() {
    let shell = Shell::with_host_at(9);
    for word in ["\u{9b}31m", "te\u{202e}st", "\u{1b}[31m"] {
        for line in [
            format!("deploi{word}"),
            format!("deploy --limt{word}"),
            format!("validate x {word}"),
            format!("help {word}"),
        ] {
            let answer = shell.type_line(&line);
            answer.is_a_mistake();
            let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(
                !answer.stderr.contains(acts),
                "{line:?}: {:?}",
                answer.stderr
            );
        }
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let shell = Shell::new(&[]);
    let stderr = |words: &[&str], no_color: bool| {
        let mut command = shell.command(words);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        shell.answer(&mut command).stderr
    };
    assert!(
        !stderr(&["validate"], false).contains('\x1b'),
        "no terminal, no colours"
    );
    assert!(!stderr(&["validate"], true).contains('\x1b'));
    assert!(stderr(&["validate", "--color", "always"], false).contains('\x1b'));
    assert!(!stderr(&["validate", "--color", "never"], true).contains('\x1b'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let shell = Shell::with_host_at(9);
    for line in ["--help", "schema", "completions bash", "validate"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shipit"))
            .args(line.split(' '))
            .current_dir(shell.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(child.stdout.take()); // as `| head -0` does
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("its standard error");
        stderr.read_to_string(&mut said).expect("UTF-8");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), &*said), (Some(0), ""), "{line}");
    }
}
