//! A folder to type `shipit` in, and what it answers.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Stdio,
};

use assert_cmd::Command;
use tempfile::TempDir;

/// One host and one recipe without mistakes; `PORT` is where the host listens.
pub const INVENTORY: &str = r#"recipes = ["web"]
[hosts]
host-1 = { address = "127.0.0.1", port = PORT, groups = ["apps"] }
[ssh]
user = "nobody"
"#;

/// A recipe without mistakes.
pub const WEB: &str = "hosts = \"all\"\n[container]\nimage = \"web:1\"\n";

/// A project's folder, and a home of its own.
pub struct Shell {
    folder: TempDir,
}

/// What came of one line.
pub struct Answer {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Shell {
    /// A folder with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let shell = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        for (path, content) in files {
            shell.write(path, content);
        }
        shell
    }

    /// A project whose only host listens on this port of this machine.
    pub fn with_host_at(port: u16) -> Self {
        let inventory = INVENTORY.replace("PORT", &port.to_string());
        Self::new(&[
            ("inventory/staging.toml", &inventory),
            ("recipes/web.toml", WEB),
        ])
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder");
        fs::write(path, content).expect("the file");
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `shipit WORDS`, with nothing of this process's environment but the way to other programs.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shipit"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("USER", "alice")
            // What a developer may have set; nobody else is to see what it shows.
            .env("RUST_BACKTRACE", "full")
            .current_dir(self.path())
            .args(words);
        command
    }

    /// What `shipit LINE` answers; the words of the line are separated by blanks.
    pub fn type_line(&self, line: &str) -> Answer {
        let words: Vec<_> = line.split_whitespace().collect();
        self.answer(&mut self.command(&words))
    }

    /// What `shipit LINE` shows on a terminal of so many columns, on which these lines are typed.
    pub fn at_a_terminal(&self, line: &str, typed: &str, columns: usize) -> Answer {
        let shipit = env!("CARGO_BIN_EXE_shipit");
        let mut child = std::process::Command::new("script")
            .args(["--quiet", "--return", "--echo", "never", "--command"])
            .arg(format!("stty cols {columns} rows 50; '{shipit}' {line}"))
            .arg("/dev/null")
            .current_dir(self.path())
            .env("TERM", "xterm")
            .env("USER", "alice")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        let mut keyboard = child.stdin.take().expect("the keyboard");
        keyboard.write_all(typed.as_bytes()).expect("typed");
        let output = child.wait_with_output().expect("its end");
        drop(keyboard);
        let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        Answer {
            code: output.status.code(),
            stdout: text.replace(&self.path().display().to_string(), "/project"),
            stderr: String::new(),
        }
    }

    /// What a command answers, with the folder shown as `/project`.
    pub fn answer(&self, command: &mut Command) -> Answer {
        let output = command.output().expect("it runs");
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            text.replace(&self.path().display().to_string(), "/project")
        };
        let answer = Answer {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for text in [&answer.stdout, &answer.stderr] {
            assert!(!text.contains("panicked"), "{text}");
            assert!(!text.contains("RUST_BACKTRACE"), "{text}");
        }
        answer
    }
}

impl Answer {
    /// All of it, as a transcript.
    pub fn shown(&self) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        let code = code.map_or("a signal".to_owned(), |code| code.to_string());
        let shown = |stream: &str, text: &str| match text {
            "" => String::new(),
            text => format!("[{stream}]\n{text}"),
        };
        let (stdout, stderr) = (shown("stdout", stdout), shown("stderr", stderr));
        format!("{stdout}{stderr}[exit {code}]\n")
    }

    /// A mistake of the user: exit status 2, and everything that is said is on standard error.
    pub fn is_a_mistake(&self) {
        assert_eq!(self.code, Some(2), "{}", self.shown());
        assert_eq!(self.stdout, "", "{}", self.shown());
    }
}

/// A port of this machine on which somebody listens who answers nothing and knows who came.
pub struct Listener(TcpListener);

impl Listener {
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("it can be asked");
        Self(listener)
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("its address").port()
    }

    /// Whether somebody came. One who did is in the queue even when he has gone again.
    pub fn was_contacted(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}
