//! A shell on a terminal, in which somebody types.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use crate::project::{Project, search_path};

/// What the shell prompts with.
const PROMPT: &str = "READY> ";

/// So long may a shell take for one answer; on a busy machine that is long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The key that clears the line.
const CLEAR: &str = "\x15";

pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts a shell whose first lines are `setup`. It has a function `shipit` that prints the line that was run, which
    /// completions must not ask.
    pub fn open(project: &Project, shell: &str, setup: &str) -> Self {
        let mut child = Command::new("script")
            .args([
                "--quiet",
                "--flush",
                "--return",
                "--command",
                shell,
                "/dev/null",
            ])
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", project.home())
            .env("TERM", "xterm")
            .env("COLUMNS", "80")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(project.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`script` of util-linux");
        let keys = child.stdin.take().expect("its standard input");
        let mut stdout = child.stdout.take().expect("its standard output");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Self {
            child,
            keys,
            output,
            seen: String::new(),
        };
        // Spelt so that the echo of the line is not taken for the prompt.
        terminal.press(&format!("{setup}\nPS1='READY''> '\n"));
        terminal.wait_for(PROMPT);
        terminal
    }

    /// What is run when this is typed: `deploy st<TAB>`, then Enter.
    pub fn run(&mut self, typed: &str) -> String {
        self.seen.clear();
        self.press(&format!("shipit {}", typed.replace("<TAB>", "\t")));
        self.press("\n");
        self.wait_for("]RAN");
        let from = self.seen.rfind("RAN[").expect("what was run");
        let run = &self.seen[from + 4..];
        let run = run.split("]RAN").next().unwrap_or_default().to_owned();
        self.wait_for(PROMPT);
        run
    }

    /// Types, and waits until all of these are on the screen. Then the line is cleared.
    pub fn see(&mut self, typed: &str, wanted: &[&str]) {
        self.seen.clear();
        self.press(&format!("shipit {}", typed.replace("<TAB>", "\t")));
        for text in wanted {
            self.wait_for(text);
        }
        self.press(CLEAR);
        self.run("");
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads");
        self.keys.flush().expect("it reads");
    }

    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.seen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("no {text:?} in {:?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended: {:?}", self.seen),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The function that stands for the program, in bash and zsh.
pub fn with_function(script: &Path) -> String {
    let script = script.display();
    format!("source '{script}'\nshipit() {{ printf 'RAN''[%s]''RAN\\n' \"$*\"; }}")
}
