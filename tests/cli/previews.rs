//! What is typed for a preview, and what it means.

use insta::assert_snapshot;

use super::typed::{Listener, Shell, WEB};

/// `staging`, which has previews, on a host where somebody listens who answers nothing.
fn staging(port: u16) -> Shell {
    let shell = Shell::with_host_at(port);
    let inventory = std::fs::read_to_string(shell.path().join("inventory/staging.toml"));
    let inventory = inventory.expect("the inventory") + "[previews]\nrecipes = [\"web\"]\n";
    shell.write("inventory/staging.toml", &inventory);
    shell
}

#[test]
fn a_preview_is_named_with_its_base_or_without() {
    let shell = staging(1);
    for line in [
        "status staging --as pr-42",
        "status --as pr-42",
        "status staging.pr-42",
        "status pr-42",
        "down pr-42 --yes",
        "deploy staging --as pr-42",
        "deploy web --as pr-42",
        "rollback pr-42",
        "logs pr-42",
        "logs staging --as pr-42",
        "logs staging.pr-42",
        "logs pr-42 web",
        "logs web --as pr-42",
    ] {
        let answer = shell.type_line(line);
        assert_eq!(answer.code, Some(3), "{line}: {}", answer.shown());
        let word = line.split(' ').next().expect("a word");
        let begins = format!("{word} staging.pr-42 on 1 host\n");
        assert!(answer.stderr.starts_with(&begins), "{}", answer.shown());
    }
    assert_snapshot!(shell.type_line("validate staging --as pr-42").shown());
}

#[test]
fn a_slip_makes_no_preview() {
    let listener = Listener::new();
    let shell = staging(listener.port());
    for (name, line) in [
        ("unknown", "deploy pr-42"),
        ("near", "status stagin"),
        ("no-name", "status PR_42"),
        ("wrong-name", "deploy staging --as feature/Login"),
        ("twice", "status staging.pr-1 --as pr-2"),
        ("of-a-preview", "previews staging.pr-42"),
        ("in-ci", "previews staging --prune"),
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert_snapshot!(name, answer.shown());
    }
    shell.write("inventory/staging.eu.toml", "extends = \"staging\"\n");
    assert_snapshot!(
        "an-inventory",
        shell.type_line("deploy staging --as eu").shown()
    );
    shell.write(
        "inventory/other.toml",
        "extends = \"staging\"\n[previews]\nrecipes = [\"web\"]\n",
    );
    assert_snapshot!("several", shell.type_line("status pr-42").shown());
    assert!(!listener.was_contacted());
}

#[test]
fn without_previews_there_are_none() {
    let listener = Listener::new();
    let shell = Shell::with_host_at(listener.port());
    for (name, line) in [
        ("none-as", "deploy staging --as pr-42"),
        ("none-bare", "status pr-42"),
        ("none-listed", "previews staging"),
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert_snapshot!(name, answer.shown());
    }
    assert!(!listener.was_contacted());
}

#[test]
fn what_is_wrong_with_every_preview_is_said_before_there_is_one() {
    let shell = staging(1);
    shell.write("recipes/web.toml", &format!("{WEB}publish = [\"80:80\"]\n"));
    let answer = shell.type_line("validate");
    answer.is_a_mistake();
    assert_snapshot!(answer.shown());
    assert_snapshot!(shell.type_line("explain previews.keep").shown());
}
