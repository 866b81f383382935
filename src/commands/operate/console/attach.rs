//! This process's standard streams, or its terminal, as those of a remote command.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::{
    command::RemoteCommand,
    commands::on_hosts::invocation::Invocation,
    event::{EventKind, Outcome},
    hosts::{HostError, Reached, Run, Stop, short},
    terminal::{self, RawMode},
    transport::{InteractiveEnd, Streams},
};

/// How long a host may take to start the command.
const START: Duration = Duration::from_secs(30);

/// What ssh exits with when the connection is lost.
const LOST: u8 = 255;

/// Runs a command on a host, or without one the login shell, until it ends: at this terminal, or without one through
/// the standard streams. The outcome has its exit code.
pub async fn attach(
    invocation: &Invocation<'_>,
    reached: &Reached,
    what: &str,
    command: Option<RemoteCommand>,
    has_terminal: bool,
) -> Run<Outcome> {
    let context = &invocation.context;
    // For the log: who was where, and nothing of what they type.
    context.events.send(EventKind::Note {
        message: format!("{} opened a console: {what}", context.by),
    });
    // With `--output json` an event has said so.
    if has_terminal && invocation.terminal.can_ask() {
        terminal::note(&format!("{what}:"));
    }
    let command = command.map(|command| reached.adapt(command));
    let no_terminal = |error: std::io::Error| {
        Stop::new(Outcome::Failed, "cannot use this terminal").cause(error.to_string())
    };
    let sizes = if has_terminal {
        terminal::sizes().map_err(no_terminal)?
    } else {
        mpsc::channel(1).1
    };
    let streams = Streams {
        input: Box::new(tokio::io::stdin()),
        stdout: Box::new(tokio::io::stdout()),
        stderr: Box::new(tokio::io::stderr()),
        sizes,
    };
    let raw = has_terminal
        .then(RawMode::begin)
        .transpose()
        .map_err(no_terminal)?;
    let pseudo = raw.as_ref().map(RawMode::pseudo_terminal);
    let mut interrupts = context.interrupts.clone();
    let talking = reached
        .session
        .interact(command.as_ref(), pseudo.as_ref(), streams, START);
    let ended = tokio::select! {
        ended = talking => ended,
        _ = interrupts.next() => {
            drop(raw);
            return Err(Stop::new(Outcome::Interrupted, format!("interrupted; left {what}")));
        }
    };
    // Before anything is shown.
    drop(raw);
    match ended {
        Ok(end) => Ok(outcome(&end)),
        Err(source) => {
            let is_lost = source.is_unreachable();
            let outcome = if is_lost {
                Outcome::Exited(LOST)
            } else {
                Outcome::Failed
            };
            let command = command
                .as_ref()
                .map_or_else(|| "a login shell".to_owned(), short);
            let error = HostError::Session { command, source };
            let message = format!("the console ended: {what}");
            Err(Stop::on_host(outcome, message, reached.name(), &error))
        }
    }
}

fn outcome(end: &InteractiveEnd) -> Outcome {
    let status = match end {
        InteractiveEnd::Status(status) => u8::try_from(*status).unwrap_or(u8::MAX),
        InteractiveEnd::Signal(name) => 128 + number_of(name),
    };
    Outcome::Exited(status)
}

/// The number of a signal, where it is the same on all of POSIX; else 0.
fn number_of(signal: &str) -> u8 {
    match signal {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ABRT" => 6,
        "KILL" => 9,
        "ALRM" => 14,
        "TERM" => 15,
        // Linux's.
        "ILL" => 4,
        "FPE" => 8,
        "USR1" => 10,
        "SEGV" => 11,
        "PIPE" => 13,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_commands_and_a_signals_is_that_of_a_shell() {
        let signal = |name: &str| InteractiveEnd::Signal(name.to_owned());
        for (end, code) in [
            (InteractiveEnd::Status(0), 0),
            (InteractiveEnd::Status(7), 7),
            (InteractiveEnd::Status(300), 255),
            (signal("TERM"), 143),
            (signal("KILL"), 137),
            (signal("ODD@example"), 128),
        ] {
            assert_eq!(outcome(&end).exit_code(), code, "{end:?}");
        }
    }
}
