//! What the commands of a day's work say in terminals of 40, 80 and 120 columns and in a pipe, as far as they contact no
//! host. What they show of hosts is kept at these widths beside the reporters, and their help beside the commands.

use insta::assert_snapshot;

use super::typed::Shell;

/// Those that print what was asked for, and those that a mistake ends.
const LINES: [&str; 21] = [
    "console --help",
    "explain rollout.canary",
    "explain secrets.",
    "secret list",
    "secret show nothing",
    "prune prod",
    "init --host web-1=10.0.0.11 --user deploy --recipe web=nginx:1.27 --publish web=8080:80",
    // It makes `prod`, of which no later line speaks: no host is contacted.
    "init --environment prod --host web-1=10.0.0.11 --user deploy --recipe api=nginx:1.27 --publish api=8080:80",
    "restart staging",
    "restart staging wbe",
    "stop staging tidy",
    "stop staging web --limit host-9",
    "start",
    "console staging",
    "console staging web --instance 0",
    "shell staging apps",
    "shell staging host-9",
    "show staging rX",
    "diff staging",
    "previews staging",
    "deploy staging --as pr-42",
];

fn shell() -> Shell {
    let inventory = "recipes = [\"web\", \"tidy\"]\n[hosts]\n\
        host-1 = { address = \"192.0.2.1\", groups = [\"apps\"] }\n\
        host-2 = { address = \"192.0.2.2\", groups = [\"apps\"] }\n";
    Shell::new(&[
        ("inventory/staging.toml", inventory),
        (
            "recipes/web.toml",
            "hosts = \"all\"\n[container]\nimage = \"web:1\"\nsecrets = { TOKEN = { sealed = \"token-of-the-payment-provider\" } }\n",
        ),
        (
            "recipes/tidy.toml",
            "hosts = \"all\"\ncommands = [{ run = \"true\" }]\n",
        ),
    ])
}

#[test]
fn in_a_pipe_nothing_is_cut() {
    let shell = shell();
    let told = LINES.map(|line| format!("$ shipit {line}\n{}", shell.type_line(line).shown()));
    assert_snapshot!("pipe", told.join("\n"));
}

#[test]
fn on_a_terminal_it_fits() {
    for columns in [120, 80, 40] {
        let shell = shell();
        let told = LINES.map(|line| {
            // Ctrl-D: a question would be answered with no.
            let answer = shell.at_a_terminal(line, "\u{4}", columns);
            let shown = answer.shown();
            format!("$ shipit {line}\n{}", console::strip_ansi_codes(&shown))
        });
        let told = told.join("\n");
        assert!(!told.contains("connect"), "{told}");
        assert!(!told.contains("panicked"), "{told}");
        assert_snapshot!(format!("{columns}_columns"), told);
    }
}
