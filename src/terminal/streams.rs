//! The standard streams: what is printed beside the reporters, and whether a person sees it.

use std::io::{IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    diagnostic::{Problems, Style},
    text::visible,
};

/// Whether standard error is shown to a person.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person sees a question and can answer it.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && stderr_is_terminal()
}

/// Whether a person sees standard output.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether somebody types on standard input, and it is not a pipe or a file.
pub fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Prints a line to standard error, beside what was asked for. It may name what others have named.
pub fn note(line: &str) {
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", visible(line));
}

/// Prints to standard output; a reader that has gone away has seen what it wanted.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The columns of standard output, if it is a terminal.
pub fn stdout_width() -> Option<usize> {
    let term = console::Term::stdout();
    let size = term.is_term().then(|| term.size_checked()).flatten();
    size.map(|(_, columns)| columns.into())
}

/// Prints problems of the files to standard error.
pub fn show_problems(problems: &Problems, style: Style) {
    let width = usize::from(
        console::Term::stderr()
            .size_checked()
            .map_or(100, |(_, columns)| columns),
    );
    // Nobody is left to hear that standard error is closed.
    let _ = write!(std::io::stderr(), "{}", problems.render(style, width));
}

/// Standard error, on which nothing acts that is written to it.
struct Visible;

impl Write for Visible {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        std::io::stderr().write_all(visible(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// With `-vv`, or what `SHIPIT_LOG` asks for, traces go to standard error.
pub fn trace(verbose: u8) {
    let asked = EnvFilter::try_from_env("SHIPIT_LOG").ok();
    let filter = asked.or_else(|| (verbose > 1).then(|| EnvFilter::new("shipit=debug")));
    if let Some(filter) = filter {
        // Hosts have a word in traces, so the only colours would be theirs.
        let layer = fmt::layer()
            .with_writer(|| Visible)
            .with_ansi(false)
            .with_target(false);
        tracing_subscriber::registry()
            .with(layer)
            .with(filter)
            .init();
    }
}
