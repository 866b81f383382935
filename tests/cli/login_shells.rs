//! Accounts whose login shells cannot be trusted with a command, whatever was typed.

use std::fmt::Write as _;

use tokio::runtime::Runtime;

use super::{
    server::{Act, Behaviour, Server, out},
    typed::Shell,
};

const KEY: &str = include_str!("../transport/keys/rsa");

type Script = fn(&str) -> Vec<Act>;

/// A host as it should be, where docker has nothing yet.
fn posix(command: &str) -> Vec<Act> {
    let prints = |text: &str| vec![out(text), Act::Status(0)];
    match command {
        _ if command.starts_with("printf ") => vec![Act::Shell],
        _ if command.contains("inspect") => prints("[]"),
        _ => prints(""),
    }
}

/// fish eats backslashes.
fn fish(command: &str) -> Vec<Act> {
    let printed = match command {
        "printenv SHELL" => "/usr/bin/fish\n",
        _ if command.starts_with("printf ") => "shipit:something else\n",
        _ => "",
    };
    vec![out(printed), Act::Status(0)]
}

fn nologin(_: &str) -> Vec<Act> {
    let refusal = "This account is currently not available.\n";
    vec![out(refusal), Act::Status(1)]
}

/// A `.bashrc` with an `echo`.
fn greets(command: &str) -> Vec<Act> {
    let mut acts = vec![out("Welcome!\n")];
    acts.extend(posix(command));
    acts
}

/// A project with these two hosts, whose account is named by `ssh_config` alone.
struct Project {
    shell: Shell,
    servers: Vec<Server>,
    _runtime: Runtime,
}

impl Project {
    fn new(hosts: [Script; 2]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let mut inventory = "recipes = [\"web\", \"tidy\"]\n[hosts]\n".to_owned();
        let (mut servers, mut known) = (Vec::new(), String::new());
        for (number, script) in (1..).zip(hosts) {
            let behaviour = Behaviour::new(&KEY.parse().expect("a key")).script(script);
            let server = runtime.block_on(behaviour.start());
            let (port, key) = (server.port, server.host_key.to_openssh().expect("a key"));
            let _ = writeln!(known, "[127.0.0.1]:{port} {key}");
            let _ = writeln!(
                inventory,
                "host-{number} = {{ address = \"127.0.0.1\", port = {port} }}"
            );
            servers.push(server);
        }
        let shell = Shell::new(&[
            ("inventory/staging.toml", &inventory),
            (
                "recipes/web.toml",
                "hosts = \"all\"\ncontainer.image = \"web:1\"\n",
            ),
            (
                "recipes/tidy.toml",
                "hosts = \"all\"\ncommands = [{ run = \"tidy up\" }]\n",
            ),
            (".ssh/known_hosts", &known),
            (".ssh/id_rsa", KEY),
            (".ssh/config", "Host 127.0.0.1\n  User deploy\n"),
        ]);
        Self {
            shell,
            servers,
            _runtime: runtime,
        }
    }

    /// Types a line, which must end with this code and say all of this.
    #[track_caller]
    fn says(&self, line: &str, code: i32, parts: &[&str]) {
        let answer = self.shell.type_line(line);
        assert_eq!(answer.code, Some(code), "{line}: {}", answer.shown());
        let shown = answer.shown();
        for part in parts {
            assert!(shown.contains(part), "{line}: `{part}` in:\n{shown}");
        }
    }

    /// Whether any host was asked to run this.
    fn ran(&self, command: &str) -> bool {
        self.servers.iter().any(|server| {
            let commands = server.seen.commands.lock().expect("not poisoned");
            commands.iter().any(|it| it.contains(command))
        })
    }
}

const OF_FISH: &str =
    "the login shell `/usr/bin/fish` of `deploy` does not pass words on as they are";

#[test]
fn what_runs_commands_runs_none() {
    let project = Project::new([posix, fish]);
    let not_ready = &[
        "error: `host-2` is not ready; nothing was changed on any host",
        OF_FISH,
        "hint: on `host-2`: `sudo usermod --shell /bin/sh deploy`",
    ];
    project.says("exec staging -- uptime", 3, not_ready);
    project.says("run staging tidy", 3, not_ready);
    assert!(!project.ran("uptime") && !project.ran("tidy up"));
    // Nobody is asked who has nothing to do with it.
    project.says("lock staging -m sale", 0, &["`staging` is locked"]);
}

#[test]
fn the_lock_is_kept_by_no_host_that_cannot_be_trusted() {
    for (host, says) in [
        (fish as Script, OF_FISH),
        (
            nologin,
            "does not run our commands: This account is currently not available.",
        ),
        (
            greets,
            "the start-up files of the login shell of `deploy` print to standard output: Welcome!",
        ),
    ] {
        let project = Project::new([host, posix]);
        for line in ["lock staging -m sale", "unlock staging"] {
            project.says(
                line,
                3,
                &["`host-1` is not ready", says, "hint: on `host-1`: "],
            );
        }
        assert!(!project.ran("docker"));
    }
}

#[test]
fn what_looks_shows_the_other_hosts_and_says_why_not_this_one() {
    let project = Project::new([posix, fish]);
    let row = &["host-2", "cannot be read", OF_FISH];
    for line in ["status staging", "history staging"] {
        project.says(line, 0, row);
    }
    project.says("logs staging web", 1, row);
    let unread = "no host that answers has a container of `web`; not read: `host-2`";
    project.says("logs staging web", 1, &[unread]);
    assert!(
        !project.servers[1]
            .seen
            .commands
            .lock()
            .expect("not poisoned")
            .iter()
            .any(|command| command.contains("docker"))
    );
}

#[test]
fn where_no_host_can_be_asked_that_is_an_error() {
    let project = Project::new([nologin, fish]);
    for line in ["status staging", "history staging", "logs staging web"] {
        project.says(
            line,
            3,
            &[
                "error: no host can be asked",
                "not available",
                OF_FISH,
                "hint: ",
            ],
        );
    }
}
