//! Consoles and shells: at a terminal, whose size is told and changes, and in a pipe.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    lab::{self, HOST_1, HOST_2},
    project::Project,
    stage::Stage,
};

const RECIPE: &str = "flask-nanoservice";

/// A terminal of tmux's, in which a person types.
struct Pane {
    name: String,
}

impl Pane {
    /// A shell in the project's folder, in a window of this size.
    fn open(project: &Project, name: &str, columns: u32, rows: u32) -> Self {
        let pane = Self {
            name: format!(
                "shipit-{}-{name}",
                lab::here("192.168.50.0").replace('.', "-")
            ),
        };
        let folder = project.path("");
        let (columns, rows) = (columns.to_string(), rows.to_string());
        pane.tmux(&[
            "new-session",
            "-d",
            "-s",
            &pane.name,
            "-x",
            &columns,
            "-y",
            &rows,
            "-c",
            folder.to_str().expect("a path"),
            "sh",
        ]);
        pane
    }

    fn tmux(&self, words: &[&str]) -> String {
        // A server of its own, which no other tmux of this account knows.
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-L", &self.name])
            .env("USER", "alice")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("TMUX")
            .args(words)
            .output()
            .expect("tmux");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-t", &self.name, "-l", text]);
        self.tmux(&["send-keys", "-t", &self.name, "Enter"]);
    }

    fn key(&self, key: &str) {
        self.tmux(&["send-keys", "-t", &self.name, key]);
    }

    fn resize(&self, columns: u32, rows: u32) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&[
            "resize-window",
            "-t",
            &self.name,
            "-x",
            &columns,
            "-y",
            &rows,
        ]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-200", "-t", &self.name])
    }

    /// Types a line again and again, until a line of the screen is this one.
    #[track_caller]
    fn types_until(&self, text: &str, line: &str) {
        let began = Instant::now();
        while !self.screen().lines().any(|shown| shown.trim_end() == line) {
            let screen = self.screen();
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "no line `{line}`:\n{screen}"
            );
            self.types(text);
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until a line of the screen is this one.
    #[track_caller]
    fn shows(&self, line: &str) {
        let began = Instant::now();
        while !self.screen().lines().any(|shown| shown.trim_end() == line) {
            let screen = self.screen();
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "no line `{line}`:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Pane {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn shipit() -> &'static str {
    env!("CARGO_BIN_EXE_shipit")
}

pub fn at_a_terminal(stage: &Stage) {
    stage.now();
    let project = stage.project();
    let pane = Pane::open(project, "console", 90, 20);
    let app = HOST_2.app();
    // What is typed at once after the end may still go to shipit, so the rest of the line is there before.
    pane.types(&format!(
        "{} console staging {RECIPE} --limit host-2; echo ended with $?; stty -a | grep -o '[-]*icanon'",
        shipit()
    ));
    pane.shows(&format!("`{app}` on `host-2`:"));
    pane.shows("#");
    // Docker tells the size a moment after the start.
    pane.types_until("stty size", "20 90");
    pane.types("hostname");
    let hostname = HOST_2.run(&format!("docker exec {app} hostname"));
    pane.shows(hostname.trim());
    pane.resize(70, 30);
    pane.types_until("stty size", "30 70");
    pane.types("sleep 100; echo slept with $?");
    pane.shows("# sleep 100; echo slept with $?");
    pane.key("C-c");
    // What is typed while the shell comes back goes behind the prompt that it then shows.
    pane.shows("#");
    pane.types("echo still here");
    pane.shows("still here");
    assert!(!pane.screen().contains("slept with 0"), "{}", pane.screen());
    pane.types("exit 7");
    pane.shows("ended with 7");
    pane.shows("icanon");
    // Ctrl-D, on the host itself.
    pane.types(&format!(
        "{} shell staging host-1; echo back with $?",
        shipit()
    ));
    pane.shows("a shell on `host-1`:");
    pane.types("hostname; tty");
    pane.shows("host-1");
    pane.key("C-d");
    pane.shows("back with 0");
}

pub fn in_a_pipe(stage: &Stage) {
    stage.now();
    let project = stage.project();
    let typed = |input: &str, words: &[&str]| {
        let mut child = Command::new(shipit())
            .args(words)
            .current_dir(project.path(""))
            .env("USER", "alice")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("shipit");
        let mut stdin = child.stdin.take().expect("piped");
        std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("typed");
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let console = ["console", "staging", RECIPE, "--limit", "host-1"];
    let with = |more: &[&'static str]| [&console, more].concat();

    let (code, out, err) = typed("one\ntwo\n", &with(&["--", "wc", "-l"]));
    assert_eq!((code, &*out, &*err), (Some(0), "2\n", ""));
    let script = "echo out; echo err >&2; test -t 0 || echo no terminal; exit 7";
    let (code, out, err) = typed("", &with(&["--", "sh", "-c", script]));
    assert_eq!(
        (code, &*out, &*err),
        (Some(7), "out\nno terminal\n", "err\n")
    );
    let (code, out, _) = typed("hostname; exit 3\n", &["shell", "staging", "host-2"]);
    // What sshd says to whoever logs in comes first.
    assert_eq!(code, Some(3));
    assert!(out.ends_with("host-2\n"), "{out}");

    // A container of its own: the recipe's variables, no port, nothing left.
    let script = "echo $SERVICE_NAME; hostname";
    let (code, out, err) = typed("", &with(&["--new", "--", "sh", "-c", script]));
    assert_eq!((code, &*err), (Some(0), ""));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], RECIPE);
    let own = HOST_1.run(&format!("docker exec {} hostname", HOST_1.app()));
    assert_ne!(lines[1], own.trim());
    assert_eq!(
        HOST_1.containers("--all --filter label=shipit.one-off"),
        [""; 0]
    );

    let (code, _, err) = typed("", &["console", "staging", RECIPE, "--instance", "2"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(
        err.contains("no container of `flask-nanoservice` (instance 2) runs on"),
        "{err}"
    );
    // As events, standard output is the command's all the same.
    let (code, out, err) = typed("", &with(&["--output", "json", "--", "echo", "out"]));
    assert_eq!((code, &*out), (Some(0), "out\n"), "{err}");
    let events = err.lines().map(serde_json::from_str);
    let events: Result<Vec<serde_json::Value>, _> = events.collect();
    let events = events.unwrap_or_else(|error| panic!("{error}: {err}"));
    assert_eq!(
        events.last().map(|it| &it["event"]),
        Some(&"finished".into())
    );
    let logs = std::fs::read_dir(project.path(".shipit/log/staging")).expect("logs");
    let logs = logs.map(|log| std::fs::read_to_string(log.expect("one").path()).expect("a text"));
    let logs: Vec<_> = logs
        .filter(|log| log.contains("opened a console"))
        .collect();
    assert!(logs.iter().any(|log| log.contains("alice@")), "{logs:?}");
    assert!(
        !logs.iter().any(|log| log.contains("exit 3")),
        "what was typed"
    );
}

/// How many containers of consoles host-1 has.
fn eventually_left(number: usize) {
    let left = "--all --filter label=shipit.one-off";
    lab::eventually("the console's containers", Duration::from_secs(60), || {
        let there = HOST_1.containers(left);
        if there.len() == number {
            Ok(())
        } else {
            Err(format!("{there:?}"))
        }
    });
}

pub fn killed(stage: &Stage) {
    stage.now();
    let project = stage.project();
    let pane = Pane::open(project, "killed", 90, 20);
    let words = format!("{} console staging {RECIPE} --limit host-1 --new", shipit());
    pane.types(&format!("{words} & echo pid $!; fg"));
    eventually_left(1);
    let screen = pane.screen();
    // The shell's prompt may stand before it.
    let pid = screen.lines().find_map(|line| {
        let (_, pid) = line.split_once("pid ")?;
        pid.trim().parse::<u32>().is_ok().then_some(pid)
    });
    let pid = pid
        .unwrap_or_else(|| panic!("no pid:\n{screen}"))
        .trim()
        .to_owned();
    let killed = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(killed.expect("kill").success());
    eventually_left(0);

    // In a pipe, what runs there reads nothing and prints nothing, so nothing tells it.
    let words = format!("console staging {RECIPE} --limit host-1 --new -- sleep 600");
    let mut child = Command::new(shipit())
        .args(words.split(' '))
        .current_dir(project.path(""))
        .env("USER", "alice")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("shipit");
    eventually_left(1);
    child.kill().expect("killed");
    child.wait().expect("its end");
    eventually_left(0);
}
