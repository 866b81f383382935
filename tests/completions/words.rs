//! `shipit complete`, which the scripts of bash, zsh and fish ask.

use std::path::Path;

use crate::project::Project;

/// What may stand at the end of each line; the words are separated by blanks.
fn completed(project: &Project, folder: &Path, lines: &[&str]) -> String {
    let answer = |line: &&str| {
        let words: Vec<_> = line.split(' ').collect();
        let words = [&["complete", "--"], &words[..]].concat();
        let said = project.shipit(folder, &words);
        let said = said.lines().map(|line| line.replace('\t', "  — "));
        let typed = [format!("$ shipit {line}<TAB>")].into_iter();
        let lines: Vec<_> = typed
            .chain(said.map(|line| format!("    {line}")))
            .collect();
        lines.join("\n") + "\n"
    };
    lines.iter().map(answer).collect()
}

fn of_project(lines: &[&str]) -> String {
    let project = Project::new();
    completed(&project, &project.path(), lines)
}

#[test]
fn environments_and_recipes() {
    insta::assert_snapshot!(of_project(&[
        "deploy ",
        "deploy staging ",
        "deploy staging web ",
        "deploy production ",
        "deploy web ",
        "deploy w",
        "restart ",
        "restart staging ",
        "run ",
        "run staging ",
        "run migrate ",
        "logs web ",
        "history ",
        "down staging --accessory ",
    ]));
}

#[test]
fn hosts_groups_vars_and_releases() {
    insta::assert_snapshot!(of_project(&[
        "deploy staging --limit ",
        "deploy staging --limit web-1,d",
        "deploy --limit=a",
        "deploy production --limit ",
        "exec staging --limit w",
        "logs staging web --host w",
        "logs staging web --limit w",
        "plan staging --set ",
        "plan production --set v",
        "plan --set=log",
        "plan --set version=",
        "rollback --to ",
        "rollback production --to ",
        "logs staging web --release r",
        "show ",
        "show staging ",
        "show r9 ",
        "diff staging r9 ",
        "diff r9 ",
    ]));
}

#[test]
fn keys_secrets_paths_and_options() {
    insta::assert_snapshot!(of_project(&[
        "explain rollout.c",
        "secret ",
        "secret show ",
        "init --from ",
        "init --from=comp",
        "-C ",
        "schema --dir ",
        "completions ",
        "deploy --output ",
        "deploy staging -m ",
        "exec staging -- ",
        "deploy --pro",
        "unlock staging ",
        "roll",
        "",
    ]));
}

#[test]
fn the_project_is_the_one_that_the_line_names() {
    let project = Project::new();
    let home = project.home();
    project.write("below/README", "");
    let below = project.path().join("below");
    let expected = "$ shipit deploy st<TAB>\n    staging  — environment\n";
    assert_eq!(completed(&project, &below, &["deploy st"]), expected);
    let nothing = "$ shipit deploy st<TAB>\n";
    assert_eq!(completed(&project, home, &["deploy st"]), nothing);
    for line in [
        "-C shop deploy st",
        "deploy -C shop st",
        "-C ~/shop deploy st",
        "deploy --directory=shop st",
    ] {
        let said = completed(&project, home, &[line]);
        assert!(said.ends_with("staging  — environment\n"), "{said}");
    }
}

#[test]
fn files_with_mistakes_complete_what_can_be_read_of_them() {
    let project = Project::new();
    project.write(
        "inventory/staging.toml",
        "defualt = 1\nrecipes = [\"web\", \"gone\"]\nextends = \"nowhere\"\n[hosts]\nweb-1 = { adress = \"\" }\n\
         db-1 = { address = \"192.0.2.9\" }\n[vars",
    );
    project.write(
        "recipes/web.toml",
        "hosts = 1\n[container\nimage = \"{{version",
    );
    let said = completed(
        &project,
        &project.path(),
        &[
            "deploy staging ",
            "deploy staging --limit ",
            "plan staging --set ",
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn what_would_act_on_a_terminal_or_on_a_shell_is_shown_or_left_out() {
    let project = Project::new();
    project.write(
        "recipes/web.toml",
        "description = \"the \\u001b[31mshop\\tof\\nmany lines\"\nhosts = \"all\"\n[container]\nimage = \"web\"\n",
    );
    project.write(
        "inventory/production.toml",
        "[hosts]\n\"$(reboot)\" = { address = \"192.0.2.1\" }\nlive-1 = { address = \"192.0.2.2\" }\n",
    );
    project.write("recipes/bad name.toml", "");
    project.write("inventory/\u{1b}[2J.toml", "");
    let said = completed(
        &project,
        &project.path(),
        &["deploy staging w", "deploy ", "deploy production --limit "],
    );
    insta::assert_snapshot!(said);
}
