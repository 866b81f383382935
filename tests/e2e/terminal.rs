//! `shipit` as a person runs it: on a terminal, with answers typed into it.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use crate::project::{Project, Run};

/// The longest that any one command may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// A `shipit` on a terminal of its own, 100 columns wide. It is killed when this is dropped before its end.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    began: Instant,
    typed: String,
}

impl Terminal {
    /// Types `shipit` with these words, none of which may need quotes.
    pub fn open(project: &Project, line: &str) -> Self {
        assert!(!line.contains(['\'', '"']), "{line}");
        let shipit = env!("CARGO_BIN_EXE_shipit");
        let mut child = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command"])
            .arg(format!("stty rows 30 cols 100 && exec '{shipit}' {line}"))
            .arg("/dev/null")
            .current_dir(project.path(""))
            .env("TERM", "xterm")
            .env("USER", "alice")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("NO_COLOR")
            .env_remove("CI")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        let keyboard = child.stdin.take().expect("the keyboard");
        let mut output = child.stdout.take().expect("the screen");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(number) = output.read(&mut bytes) {
                if number == 0 || sender.send(bytes[..number].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            shown: Vec::new(),
            began: Instant::now(),
            typed: format!("$ shipit {line}"),
        }
    }

    /// Waits until this text has been shown.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        while !self.text().contains(text) {
            match self.read() {
                Ok(true) => {}
                Ok(false) => panic!("it ended before it showed `{text}`:\n{}", self.text()),
                Err(problem) => panic!("{problem}, waiting for `{text}`:\n{}", self.text()),
            }
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("typed");
    }

    /// Waits for its end. The text has the sequences that move the cursor and set colours left out.
    #[track_caller]
    pub fn finish(mut self) -> Run {
        loop {
            match self.read() {
                Ok(true) => {}
                Ok(false) => break,
                Err(problem) => panic!("{problem}:\n{}", self.text()),
            }
        }
        let status = self.child.wait().expect("its end");
        Run::new(
            status.code(),
            self.began.elapsed(),
            self.text(),
            self.typed.clone(),
        )
    }

    /// Reads what is shown next; `false` when it has ended.
    fn read(&mut self) -> Result<bool, String> {
        let left = DEADLINE.saturating_sub(self.began.elapsed());
        match self.screen.recv_timeout(left) {
            Ok(bytes) => {
                self.shown.extend(bytes);
                Ok(true)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(false),
            Err(RecvTimeoutError::Timeout) => Err(format!("not within {DEADLINE:?}")),
        }
    }

    fn text(&self) -> String {
        console::strip_ansi_codes(&String::from_utf8_lossy(&self.shown)).replace('\r', "")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
