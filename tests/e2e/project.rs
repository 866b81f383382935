//! A project in a folder of its own, and the real binary run in it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::lab;

/// The longest that any one command may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// A copy of this repository's `inventory/` and `recipes/`, with the addresses of this process's lab. What
/// is written into it, or looked for in it, may name those of the first one.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    user: String,
}

impl Project {
    /// A fresh copy. The folder stays after the run, for whoever wants to look at the logs in it.
    pub fn new(name: &str) -> Self {
        Self::copied(Path::new(env!("CARGO_MANIFEST_DIR")), name)
    }

    /// A copy of this project's files as they are now.
    pub fn copy(&self, name: &str) -> Self {
        Self::copied(&self.root, name)
    }

    /// A folder with nothing in it.
    pub fn empty(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("e2e")
            .join(lab::here("192.168.50.0"))
            .join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).expect("the project's folder");
        Self {
            root,
            user: "alice".to_owned(),
        }
    }

    fn copied(from: &Path, name: &str) -> Self {
        let project = Self::empty(name);
        let root = &project.root;
        for folder in ["inventory", "recipes"] {
            fs::create_dir_all(root.join(folder)).expect("the project's folder");
            for entry in fs::read_dir(from.join(folder)).expect("the files") {
                let entry = entry.expect("an entry");
                let content = fs::read_to_string(entry.path()).expect("a text file");
                let copy = root.join(folder).join(entry.file_name());
                fs::write(copy, lab::here(&content)).expect("a copy");
            }
        }
        project
    }

    /// The same files in the hands of someone else.
    pub fn as_user(&self, user: &str) -> Self {
        Self {
            root: self.root.clone(),
            user: user.to_owned(),
        }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder");
        fs::write(path, lab::here(content)).expect("the file");
    }

    /// Replaces a text of a file, which must be there exactly once.
    #[track_caller]
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let content = fs::read_to_string(self.path(path)).expect("the file");
        let old = &*lab::here(old);
        assert_eq!(
            content.matches(old).count(),
            1,
            "`{old}` in {path}:\n{content}"
        );
        self.write(path, &content.replace(old, new));
    }

    /// Runs `shipit` with these words to its end. Only double quotes quote.
    #[track_caller]
    pub fn shipit(&self, line: &str) -> Run {
        self.start(line).finish()
    }

    /// Runs `shipit`, which must exit with 0.
    #[track_caller]
    pub fn ok(&self, line: &str) -> Run {
        let run = self.shipit(line);
        run.exits(0);
        run
    }

    /// Runs `shipit … --output json`; how it ended and its events.
    #[track_caller]
    pub fn events(&self, line: &str) -> (Run, Vec<Value>) {
        let run = self.shipit(&format!("{line} --output json"));
        let events = run
            .text
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect();
        (run, events)
    }

    /// Starts `shipit … | READER`, where no word needs quotes, and leaves it running.
    pub fn piped(&self, line: &str, reader: &str) -> Child {
        let shipit = env!("CARGO_BIN_EXE_shipit");
        Command::new("bash")
            .args(["-o", "pipefail", "-c"])
            .arg(format!("'{shipit}' {line} | {reader}"))
            .current_dir(&self.root)
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh")
    }

    /// Starts `shipit` and leaves it running.
    #[track_caller]
    pub fn start(&self, line: &str) -> Running {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let child = Command::new(env!("CARGO_BIN_EXE_shipit"))
            .args(words(line))
            .current_dir(&self.root)
            .env("USER", &self.user)
            .env_remove("SSH_AUTH_SOCK")
            .env("NO_COLOR", "1")
            .env("REGISTRY_PASSWORD", crate::registry::PASSWORD)
            .stdin(Stdio::null())
            .stderr(writer.try_clone().expect("a second end"))
            .stdout(writer)
            .spawn()
            .expect("shipit");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Running {
            child,
            lines,
            began: Instant::now(),
            typed: format!("$ shipit {line}"),
            text: String::new(),
        }
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// A `shipit` that runs. It is killed when this is dropped before its end.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    began: Instant,
    typed: String,
    text: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Waits for a line with this text in it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            match self.next_line() {
                Ok(Some(line)) if line.contains(text) => return,
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended before it said `{text}`:\n{}", self.transcript()),
                Err(problem) => panic!("{problem}, waiting for `{text}`:\n{}", self.transcript()),
            }
        }
    }

    /// Reads its lines until one is as wanted; `false` when it ended before.
    #[track_caller]
    pub fn wait_until(&mut self, mut holds: impl FnMut(&str) -> bool) -> bool {
        loop {
            match self.next_line() {
                Ok(Some(line)) if holds(&line) => return true,
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(problem) => panic!("{problem}:\n{}", self.transcript()),
            }
        }
    }

    /// Sends it a signal by name.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill").success(), "kill -s {signal}");
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Run {
        loop {
            match self.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(problem) => panic!("{problem}:\n{}", self.transcript()),
            }
        }
        let status = self.child.wait().expect("its end");
        Run::new(
            status.code(),
            self.began.elapsed(),
            self.text.clone(),
            self.typed.clone(),
        )
    }

    fn next_line(&mut self) -> Result<Option<String>, String> {
        let left = DEADLINE.saturating_sub(self.began.elapsed());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.text.push_str(&line);
                self.text.push('\n');
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(format!("not within {DEADLINE:?}")),
        }
    }

    fn transcript(&self) -> String {
        format!("{}\n{}", self.typed, self.text)
    }
}

/// A `shipit` that has ended.
#[derive(Debug)]
pub struct Run {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub took: Duration,
    /// Standard output and standard error, as a terminal would have them.
    pub text: String,
    typed: String,
}

impl Run {
    pub fn new(code: Option<i32>, took: Duration, text: String, typed: String) -> Self {
        Self {
            code,
            took,
            text,
            typed,
        }
    }

    fn transcript(&self) -> String {
        format!(
            "{}\n{}exit code {:?} after {:.1} s",
            self.typed,
            self.text,
            self.code,
            self.took.as_secs_f64()
        )
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "the exit code of:\n{}",
            self.transcript()
        );
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.text.contains(text),
            "no `{text}` in:\n{}",
            self.transcript()
        );
        self
    }

    #[track_caller]
    pub fn says_not(&self, text: &str) -> &Self {
        assert!(
            !self.text.contains(text),
            "`{text}` in:\n{}",
            self.transcript()
        );
        self
    }
}
