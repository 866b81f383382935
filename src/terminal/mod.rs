//! The person at the terminal: questions, and problems with the files.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use secrecy::SecretString;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    diagnostic::{Look, Problems},
    event::{EventKind, Events},
    transport::Prompt,
};

/// Whether standard error is shown to a person.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person sees a question and can answer it.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && stderr_is_terminal()
}

/// Prints problems of the files to standard error.
pub fn show_problems(problems: &Problems, look: Look) {
    let width = usize::from(
        console::Term::stderr()
            .size_checked()
            .map_or(100, |(_, columns)| columns),
    );
    // A closed standard error cannot be told that it is closed.
    let _ = write!(std::io::stderr(), "{}", problems.render(look, width));
}

/// With `-vv`, or what `SHIPIT_LOG` asks for, traces go to standard error.
pub fn trace(verbose: u8) {
    let asked = EnvFilter::try_from_env("SHIPIT_LOG").ok();
    let filter = asked.or_else(|| (verbose > 1).then(|| EnvFilter::new("shipit=debug")));
    if let Some(filter) = filter {
        let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
        tracing_subscriber::registry()
            .with(layer)
            .with(filter)
            .init();
    }
}

/// Asks a question that is answered with yes or no; no is the default.
pub fn confirm(events: &Events, question: &str) -> bool {
    let answer = ask(events, format!("{question} [y/N] "), || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map(|_| answer)
    });
    answer.is_ok_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// Asks one question and reads its answer. There is one terminal, and questions come from several threads
/// at once: hosts may need different keys. The next one is shown when this one is answered, so that an
/// answer never goes to another question.
fn ask<T>(events: &Events, question: String, read: impl FnOnce() -> T) -> T {
    static TERMINAL: Mutex<()> = Mutex::new(());
    let _turn = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    events.send(EventKind::Question { question });
    let answer = read();
    events.send(EventKind::Answered);
    answer
}

/// Asks for passphrases on the terminal.
pub struct Passphrases {
    /// Where the question goes.
    pub events: Events,
    /// Whether anyone is there to answer.
    pub can_ask: bool,
}

impl Prompt for Passphrases {
    fn passphrase(&self, key: &Path) -> Option<SecretString> {
        if !self.can_ask {
            return None;
        }
        let question = format!("Passphrase of {}: ", key.display());
        let answer = ask(&self.events, question, rpassword::read_password);
        answer.ok().map(SecretString::from)
    }
}

/// Who does this and from where, as others are shown it: `alice@laptop`.
pub fn who() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER")
        .or_else(|| variable("LOGNAME"))
        .or_else(|| first_line_of("id", &["-un"]));
    let host = first_line_of("hostname", &[]).or_else(|| variable("HOSTNAME"));
    format!(
        "{}@{}",
        user.as_deref().unwrap_or("someone"),
        host.as_deref().unwrap_or("somewhere")
    )
}

/// The git revision of a folder, with `+` where files differ from it; `None` where it is not in git.
pub fn git_revision(root: &Path) -> Option<String> {
    let root = root.to_str()?;
    let revision = first_line_of("git", &["-C", root, "rev-parse", "--short=12", "HEAD"])?;
    let changed = first_line_of("git", &["-C", root, "status", "--porcelain"]);
    Some(if changed.is_some() {
        format!("{revision}+")
    } else {
        revision
    })
}

fn first_line_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let line = String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()?
        .trim()
        .to_owned();
    Some(line).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_question_waits_for_the_answer_to_the_one_before() {
        let (events, mut shown) = Events::channel();
        thread::scope(|threads| {
            for key in ["a", "b", "c"] {
                let events = events.clone();
                threads.spawn(move || ask(&events, key.to_owned(), thread::yield_now));
            }
        });
        drop(events);
        let mut kinds = Vec::new();
        while let Some(event) = shown.blocking_recv() {
            kinds.push(matches!(event.kind, EventKind::Question { .. }));
        }
        assert_eq!(kinds, [true, false, true, false, true, false]);
    }
}
