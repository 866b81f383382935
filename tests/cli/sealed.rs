//! `shipit secret …`: values that are sealed in the repository.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};

use insta::assert_snapshot;

use super::typed::{Answer, Shell};

const KEY: &str = include_str!("keys/open");
const PUBLIC: &str = include_str!("keys/open.pub");
const LOCKED: &str = include_str!("keys/locked");
const LOCKED_PUBLIC: &str = include_str!("keys/locked.pub");

/// A recipe that takes a sealed value and one that is not there yet.
const WEB: &str = r#"hosts = "all"
[container]
image = "web:1"
secrets = { PASSWORD = { sealed = "database-password" }, TOKEN = { sealed = "token" } }
"#;

/// A project of Alice's, who has an SSH key without a passphrase.
fn alice() -> Shell {
    let shell = Shell::with_host_at(9);
    shell.write("recipes/web.toml", WEB);
    shell.write(".ssh/id_ed25519", KEY);
    shell.write(".ssh/id_ed25519.pub", PUBLIC);
    shell
}

/// `printf VALUE | shipit LINE`.
fn piped(shell: &Shell, line: &str, value: &str) -> Answer {
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = shell.command(&words);
    shell.answer(command.write_stdin(value))
}

/// `EDITOR=… shipit LINE`.
fn edited(shell: &Shell, line: &str, editor: &str) -> Answer {
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = shell.command(&words);
    // Where nothing else is, so that what is left behind is seen.
    fs::create_dir_all(shell.path().join("memory")).expect("made");
    command.env("EDITOR", editor);
    shell.answer(command.env("XDG_RUNTIME_DIR", shell.path().join("memory")))
}

fn read(shell: &Shell, path: &str) -> String {
    fs::read_to_string(shell.path().join(path)).expect(path)
}

#[test]
fn the_first_value_makes_the_list_of_recipients() {
    let shell = alice();
    assert_eq!(
        piped(&shell, "secret set database-password", "hunter2\n").shown(),
        "[stderr]\n\
         made `secrets/recipients` with your key of `~/.ssh/id_ed25519`; add your colleagues' keys there\n\
         sealed `database-password` for `alice@laptop`\n\
         [exit 0]\n"
    );
    assert!(read(&shell, "secrets/recipients").ends_with(&format!("\n\n{PUBLIC}")));
    let sealed = read(&shell, "secrets/database-password.age");
    assert!(
        sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"),
        "{sealed}"
    );
    assert_eq!(
        shell.type_line("secret show database-password").shown(),
        "[stdout]\nhunter2[exit 0]\n"
    );
    assert_eq!(
        shell.type_line("secret list").shown(),
        "[stdout]\n\
         database-password\n  sealed for  alice@laptop\n  used by     web (staging)\n\
         token\n  not there   seal it: `shipit secret set token` makes `secrets/token.age`\n  used by     web (staging)\n\
         [exit 0]\n"
    );
    let listed = shell.type_line("secret list --output json").stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let expected = serde_json::json!([
        {
            "secret": "database-password",
            "sealed_for": ["alice@laptop"],
            "not_for": [],
            "used_by": ["web (staging)"],
        },
        {
            "secret": "token",
            "sealed_for": null,
            "not_for": null,
            "used_by": ["web (staging)"],
        },
    ]);
    assert_eq!(listed, expected);
}

#[test]
fn who_comes_can_read_after_a_rotation_and_who_leaves_cannot() {
    let shell = alice();
    piped(&shell, "secret set database-password", "hunter2");
    let list = read(&shell, "secrets/recipients");
    shell.write("secrets/recipients", &format!("{list}{LOCKED_PUBLIC}"));
    let listed = shell.type_line("secret list").stdout;
    assert!(
        listed.contains(
            "  sealed for  alice@laptop\n  not for     bob@desk (`shipit secret rotate`)\n"
        ),
        "{listed}"
    );
    let before = read(&shell, "secrets/database-password.age");
    assert_eq!(
        shell.type_line("secret rotate").shown(),
        "[stderr]\n\
         sealed 1 value again, for `alice@laptop` and `bob@desk`\n\
         Whoever has left knows the values and has the old files. Change each value itself, then `shipit secret set` it.\n\
         [exit 0]\n"
    );
    assert_ne!(read(&shell, "secrets/database-password.age"), before);
    let listed = shell.type_line("secret list").stdout;
    assert!(
        listed.contains("  sealed for  alice@laptop, bob@desk\n  used by"),
        "{listed}"
    );

    shell.write("secrets/recipients", LOCKED_PUBLIC);
    let listed = shell.type_line("secret list").stdout;
    assert!(
        listed.contains("an SSH key that is no recipient any more ("),
        "{listed}"
    );
    assert_eq!(shell.type_line("secret rotate").code, Some(0));
    let sealed = read(&shell, "secrets/database-password.age");
    let answer = shell.type_line("secret rotate");
    answer.is_a_mistake();
    assert!(
        answer.stderr.contains("no key here opens"),
        "{}",
        answer.stderr
    );
    assert_eq!(read(&shell, "secrets/database-password.age"), sealed);
}

#[test]
fn without_a_terminal_a_locked_key_is_an_error_that_says_so() {
    let shell = alice();
    piped(&shell, "secret set database-password", "hunter2");
    piped(&shell, "secret set token", "hunter3");
    shell.write("secrets/recipients", LOCKED_PUBLIC);
    shell.type_line("secret rotate");
    shell.write(".ssh/id_ed25519", LOCKED);
    for line in ["secret show token", "plan staging"] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        let said = answer
            .stderr
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let said = said.replace("| ", "");
        assert!(
            said.contains("it has a passphrase, and there was nobody to ask for it"),
            "{said}"
        );
        assert!(said.contains("SHIPIT_AGE_KEY"), "{said}");
    }
}

#[test]
fn an_editor_changes_a_value_in_a_file_that_is_removed() {
    let shell = alice();
    piped(&shell, "secret set database-password", "hunter2");
    let seen = shell.path().join("seen");
    let editor = format!("stat -c '%a %n' >>{0} \"$@\"; cat >>{0}", seen.display());
    let editor = format!("f() {{ {editor} \"$@\"; }}; f");
    let before = read(&shell, "secrets/database-password.age");
    assert_eq!(
        edited(&shell, "secret edit database-password", &editor).shown(),
        "[stderr]\n`database-password` is unchanged\n[exit 0]\n"
    );
    let seen = read(&shell, "seen");
    assert!(seen.starts_with("600 "), "{seen}");
    assert!(seen.contains("/memory/shipit-"), "{seen}");
    assert!(seen.ends_with("/database-password\nhunter2"), "{seen}");
    assert_eq!(read(&shell, "secrets/database-password.age"), before);

    // What editors do: another file under the same name, with a newline at its end.
    let editor = "f() { echo hunter4 >\"$1.new\"; mv \"$1.new\" \"$1\"; touch \"$1~\"; }; f";
    assert_eq!(
        edited(&shell, "secret edit database-password", editor).shown(),
        "[stderr]\nsealed `database-password` for `alice@laptop`\n[exit 0]\n"
    );
    assert_eq!(
        shell.type_line("secret show database-password").stdout,
        "hunter4"
    );

    let sealed = read(&shell, "secrets/database-password.age");
    for (editor, said) in [
        ("f() { echo half >\"$1\"; exit 3; }; f", "(exit status: 3)"),
        ("f() { : >\"$1\"; }; f", "an empty value"),
        ("f() { rm \"$1\"; }; f", "cannot read what the editor wrote"),
        ("no-such-editor", "(exit status: 127)"),
        (
            "f() { kill -TERM $PPID; exec sleep 60; }; f",
            "ended by a signal",
        ),
    ] {
        let answer = edited(&shell, "secret edit database-password", editor);
        answer.is_a_mistake();
        assert!(answer.stderr.contains(said), "{editor}: {}", answer.stderr);
        assert_eq!(
            read(&shell, "secrets/database-password.age"),
            sealed,
            "{editor}"
        );
    }
    let left = fs::read_dir(shell.path().join("memory")).expect("read");
    assert_eq!(
        left.count(),
        0,
        "what the editor saw is removed, however it ended"
    );
}

#[test]
fn what_cannot_be_sealed_changes_nothing() {
    let shell = alice();
    for (line, value, said) in [
        ("secret set token", "", "an empty value"),
        ("secret set token", "\n", "an empty value"),
        ("secret set token", "a\0b", "NUL byte"),
        ("secret set ../token", "x", "is not a name"),
        ("secret set .token", "x", "is not a name"),
    ] {
        let answer = piped(&shell, line, value);
        answer.is_a_mistake();
        assert!(answer.stderr.contains(said), "{line}: {}", answer.stderr);
    }
    assert!(!shell.path().join("secrets").exists());
    shell.write("secrets/recipients", "alice\n");
    let answer = piped(&shell, "secret set token", "x");
    answer.is_a_mistake();
    assert!(
        answer.stderr.contains("[secrets/recipients:1:1]"),
        "{}",
        answer.stderr
    );
    assert!(!shell.path().join("secrets/token.age").exists());
}

#[test]
fn validate_checks_what_is_sealed_and_opens_nothing() {
    let shell = alice();
    let said = |line: &str| shell.type_line(line).shown();
    assert_snapshot!(said("validate"), @"
        [stderr]
          error: `secrets/recipients` is not there

          hint: `shipit secret set NAME` makes one with your own key

          error: `secrets/database-password.age` is not there; web (staging) needs it

          hint: seal a value: `shipit secret set database-password`

          error: `secrets/token.age` is not there; web (staging) needs it

          hint: seal a value: `shipit secret set token`
        [exit 2]
    ");
    piped(&shell, "secret set database-password", "hunter2");
    piped(&shell, "secret set token", "hunter3");
    let list = read(&shell, "secrets/recipients");
    // It needs no key.
    fs::remove_file(shell.path().join(".ssh/id_ed25519")).expect("removed");
    assert_eq!(
        said("validate"),
        "[stdout]\nstaging: 1 host, 1 recipe\n[exit 0]\n"
    );

    shell.write("secrets/recipients", &format!("{list}{LOCKED_PUBLIC}"));
    let answer = shell.type_line("validate staging");
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    for said in [
        "warning: `secrets/token.age` is not sealed for `bob@desk`",
        "`shipit secret rotate`",
    ] {
        assert!(answer.stderr.contains(said), "{}", answer.stderr);
    }

    let sealed = read(&shell, "secrets/token.age");
    for (file, text, said) in [
        ("secrets/recipients", "alice\n", "[secrets/recipients:1:1]"),
        (
            "secrets/recipients",
            "# nobody\n",
            "secrets/recipients names nobody",
        ),
        (
            "secrets/token.age",
            "hunter3\n",
            "`secrets/token.age` is damaged: its end is missing; web (staging) needs it",
        ),
        (
            "secrets/token.age",
            &sealed[..sealed.len() / 2],
            "`secrets/token.age` is damaged: ",
        ),
        ("secrets/unused.age", "", "`secrets/unused.age` is "),
    ] {
        shell.write("secrets/recipients", &list);
        shell.write("secrets/token.age", &sealed);
        shell.write(file, text);
        let answer = shell.type_line("validate");
        answer.is_a_mistake();
        let stderr = &answer.stderr;
        assert!(stderr.contains(said), "{file}: {stderr}");
        assert!(!stderr.contains("hunter"), "{stderr}");
    }
}

#[test]
fn without_any_key_it_is_said_how_to_make_one() {
    let shell = Shell::with_host_at(9);
    let answer = piped(&shell, "secret set token", "x");
    answer.is_a_mistake();
    assert!(
        answer.stderr.contains("nobody to seal for"),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("ssh-keygen -t ed25519"),
        "{}",
        answer.stderr
    );
    let answer = shell.type_line("secret rotate");
    answer.is_a_mistake();
    assert!(
        answer.stderr.contains("`secrets/recipients` is not there"),
        "{}",
        answer.stderr
    );
}

#[test]
fn what_is_sealed_is_masked_where_no_passphrase_is_needed() {
    let shell = alice();
    piped(&shell, "secret set database-password", "hunter2");
    piped(&shell, "secret set token", "hunter3");
    // The host's name is in the error; a value that is sealed is not.
    let inventory = read(&shell, "inventory/staging.toml").replace("host-1", "of-hunter2");
    shell.write("inventory/staging.toml", &inventory);
    let answer = shell.type_line("exec staging -- true");
    assert!(answer.stderr.contains("of-***"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

/// Whether Debian's `age` is here. Where it is not, the tests beside the code, which need none, stand alone.
fn has_age() -> bool {
    let age = std::process::Command::new("age")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let has_age = age.is_ok_and(|status| status.success());
    if !has_age {
        eprintln!("not tried: no `age` on this machine");
    }
    has_age
}

#[test]
fn age_reads_what_is_sealed_and_its_files_are_read() {
    if !has_age() {
        return;
    }
    let shell = alice();
    fs::set_permissions(
        shell.path().join(".ssh/id_ed25519"),
        fs::Permissions::from_mode(0o600),
    )
    .expect("set");
    let age = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let output = std::process::Command::new(words[0])
            .args(&words[1..])
            .current_dir(shell.path())
            .output()
            .expect("it runs");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let key = age("age-keygen");
    let public = age("age-keygen -o ci.txt");
    assert_eq!(public, "");
    let public = age("age-keygen -y ci.txt");
    shell.write(
        "secrets/recipients",
        &format!("# team\n{PUBLIC}\n# CI\n{public}"),
    );
    assert_eq!(piped(&shell, "secret set token", "hunter3\n").code, Some(0));
    for identity in ["ci.txt", ".ssh/id_ed25519"] {
        assert_eq!(
            age(&format!("age -d -i {identity} secrets/token.age")),
            "hunter3"
        );
    }

    // The other way round, with armor and without, for the same list.
    shell.write("value", "from age\n");
    for armor in ["-a ", ""] {
        age(&format!(
            "age {armor}-R secrets/recipients -o secrets/token.age value"
        ));
        assert_eq!(shell.type_line("secret show token").stdout, "from age\n");
        let mut ci = shell.command(&["secret", "show", "token"]);
        ci.env("HOME", "/nonexistent")
            .env("SHIPIT_AGE_KEY", read(&shell, "ci.txt"));
        assert_eq!(shell.answer(&mut ci).stdout, "from age\n");
        let mut other = shell.command(&["secret", "show", "token"]);
        other
            .env("HOME", "/nonexistent")
            .env("SHIPIT_AGE_KEY", &key);
        let answer = shell.answer(&mut other);
        answer.is_a_mistake();
        assert!(
            answer.stderr.contains("`SHIPIT_AGE_KEY` is none"),
            "{}",
            answer.stderr
        );
        let mut file = shell.command(&["secret", "show", "token"]);
        file.env("HOME", "/nonexistent")
            .env("SHIPIT_AGE_KEY_FILE", "ci.txt");
        assert_eq!(shell.answer(&mut file).stdout, "from age\n");
    }
    let listed = shell.type_line("secret list").stdout;
    assert!(
        listed.contains("  sealed for  alice@laptop, CI\n"),
        "{listed}"
    );
}
