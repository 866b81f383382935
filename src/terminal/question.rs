//! Questions to the person at the terminal.

use std::{
    fs::File,
    io::{self, BufRead, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

use crate::{
    event::{EventKind, Events},
    transport::Prompt,
};

/// The person at the terminal, if there is one.
#[derive(Clone)]
pub struct Terminal {
    shown: Shown,
    can_ask: bool,
}

/// Where a question is shown.
#[derive(Clone)]
enum Shown {
    /// By the reporters, which make room for it.
    Events(Events),
    /// On standard error, where no reporter runs.
    Stderr,
}

impl Terminal {
    /// Questions are events, so that reporters can make room for them. `can_ask` says whether anybody is
    /// there to answer.
    pub fn new(events: Events, can_ask: bool) -> Self {
        Self {
            shown: Shown::Events(events),
            can_ask,
        }
    }

    /// For a command that sends no events.
    pub fn on_stderr(can_ask: bool) -> Self {
        Self {
            shown: Shown::Stderr,
            can_ask,
        }
    }

    /// Whether anybody is there to answer.
    pub fn can_ask(&self) -> bool {
        self.can_ask
    }

    /// Asks a question that is answered with yes or no; no is the default. It blocks until the answer.
    pub fn confirm(&self, question: &str) -> bool {
        let answer = self.ask(format!("{question} [y/N] "), Echo::On, || {
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer).map(|_| answer)
        });
        answer.is_ok_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }

    /// Asks for a line, without the blanks around it; `None` where nobody is there, or they leave.
    pub fn line(&self, question: &str) -> Option<String> {
        if !self.can_ask {
            return None;
        }
        let mut answer = String::new();
        let read = self.ask(question.to_owned(), Echo::On, || {
            io::stdin().lock().read_line(&mut answer)
        });
        let is_answered = read.is_ok_and(|bytes| bytes > 0);
        is_answered.then(|| answer.trim().to_owned())
    }

    /// Asks for something that is not shown while it is typed; `None` where nobody is there, or they leave.
    pub fn hidden(&self, question: &str) -> Option<SecretString> {
        if !self.can_ask {
            return None;
        }
        let answer = self.ask(question.to_owned(), Echo::Off, rpassword::read_password);
        answer.ok().map(SecretString::from)
    }

    /// Asks one question and reads its answer. There is one terminal, and questions come from several
    /// threads at once: hosts may need different keys. The next one is shown when this one is answered, so
    /// that an answer never goes to another question.
    fn ask<T>(&self, question: String, echo: Echo, read: impl FnOnce() -> T) -> T {
        static TERMINAL: Mutex<()> = Mutex::new(());
        let _turn = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the question is shown: whoever answers at once must not see the answer either.
        let _silence = (echo == Echo::Off).then(Silence::begin).flatten();
        match &self.shown {
            Shown::Events(events) => events.send(EventKind::Question { question }),
            // Nobody is left to ask if standard error is closed; the answer then says so.
            Shown::Stderr => drop(write!(io::stderr(), "{question}")),
        }
        let answer = read();
        if let Shown::Events(events) = &self.shown {
            events.send(EventKind::Answered);
        }
        answer
    }
}

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    On,
    Off,
}

/// A terminal that does not show what is typed, for as long as this lives.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    /// `None` where there is no terminal: then nothing is shown anyway.
    fn begin() -> Option<Self> {
        let terminal = File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone away has nothing to restore.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

impl Prompt for Terminal {
    fn passphrase(&self, key: &Path) -> Option<SecretString> {
        self.hidden(&format!("Passphrase of {}: ", key.display()))
    }
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
                let terminal = Terminal::new(events.clone(), true);
                threads.spawn(move || terminal.ask(key.to_owned(), Echo::On, thread::yield_now));
            }
        });
        drop(events);
        let mut kinds = Vec::new();
        while let Some(event) = shown.try_next() {
            kinds.push(matches!(event.kind, EventKind::Question { .. }));
        }
        assert_eq!(kinds, [true, false, true, false, true, false]);
    }
}
