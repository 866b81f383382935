//! Reporters: all output, made from events alone. indicatif is known to this module only.
//!
//! What goes where, as in cargo and docker: **standard output has what was asked for** (a plan, the lines
//! that a user's commands print, the rows of `status` and `history`, and the sentence with the result),
//! **standard error everything else** (bars, progress, warnings, questions, errors). With
//! `--output json`, standard output has one event a line and nothing else is written at all.
//!
//! Reporters have no clock. The time of an event comes with it, and [`drive`] tells them the time
//! between events, so that a recorded list of events always shows the same.

mod bars;
mod json;
mod lines;
mod log_file;
mod masks;
mod plain;
mod sink;
mod text;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use console::Term;
use jiff::Timestamp;
use tokio::{sync::mpsc::UnboundedReceiver, time::MissedTickBehavior};

use self::{
    bars::Bars,
    json::Json,
    lines::{Level, Manner},
    log_file::LogFile,
    plain::Plain,
    sink::Stdout,
};
pub use self::{masks::Masks, text::Colour};
use crate::event::Event;

/// How often reporters are told the time.
const TICK: Duration = Duration::from_millis(100);

/// Shows events to someone. Infallible: what cannot be shown is lost, as a closed pipe must not stop a
/// deploy.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Time has passed: about ten times a second.
    fn tick(&mut self, now: Timestamp) {
        let _ = now;
    }
}

/// A reporter that [`drive`] can take along.
pub type BoxedReporter = Box<dyn Reporter + Send>;

/// What the command line says about output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// In which form.
    pub output: Output,
    /// How much.
    pub verbosity: Verbosity,
    /// With colours or without.
    pub colour: Colour,
}

/// The form of output; `--output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// Bars where standard error is a terminal that can draw them, else plain lines.
    #[default]
    Auto,
    /// Lines.
    Plain,
    /// One event a line.
    Json,
    /// Bars; plain lines all the same where there is no terminal to draw them on.
    Bars,
}

/// How much is shown; `-q` and `-v`. It does not change JSON and the log file, which have everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings, errors and the result.
    Quiet,
    /// Also what is finished.
    #[default]
    Normal,
    /// Also what begins, what is waited for, and the output of what failed.
    Verbose,
}

impl From<Verbosity> for Level {
    fn from(verbosity: Verbosity) -> Self {
        match verbosity {
            Verbosity::Quiet => Self::Quiet,
            Verbosity::Normal => Self::Normal,
            Verbosity::Verbose => Self::Verbose,
        }
    }
}

/// The reporter for this process's standard output and standard error. `reader_gone` is called when what
/// standard output is read by has gone.
pub fn for_terminal(choice: Choice, reader_gone: impl FnOnce() + Send + 'static) -> BoxedReporter {
    let Choice {
        output,
        verbosity,
        colour,
    } = choice;
    let term = Term::buffered_stderr();
    let can_draw = term.is_term() && !console::is_dumb();
    // Quiet shows nothing that goes on, so it has nothing to draw.
    let draws = can_draw && verbosity != Verbosity::Quiet;
    let manner = Manner {
        level: verbosity.into(),
        with_bars: false,
        out: colour.of_stdout(),
        err: colour.of_stderr(),
    };
    let out = Box::new(Stdout {
        reader_gone: Some(Box::new(reader_gone)),
    });
    let err = Box::new(io::stderr());
    match output {
        Output::Json => json(out),
        Output::Auto | Output::Bars if draws => {
            Box::new(Bars::new(Arc::new(term), out, err, manner))
        }
        Output::Auto | Output::Bars | Output::Plain => Box::new(Plain::new(out, err, manner)),
    }
}

/// Plain lines without colours: results to `out`, everything else to `err`.
pub fn plain(
    out: impl Write + Send + 'static,
    err: impl Write + Send + 'static,
    verbosity: Verbosity,
) -> BoxedReporter {
    let manner = Manner {
        level: verbosity.into(),
        with_bars: false,
        out: Colour::Never.of_stdout(),
        err: Colour::Never.of_stderr(),
    };
    Box::new(Plain::new(Box::new(out), Box::new(err), manner))
}

/// One event a line, exactly as serde writes it, flushed line by line.
pub fn json(out: impl Write + Send + 'static) -> BoxedReporter {
    Box::new(Json::new(Box::new(out)))
}

/// Everything, always, each line with its time in UTC.
pub fn log_file(out: impl Write + Send + 'static) -> BoxedReporter {
    Box::new(LogFile::new(Box::new(out)))
}

/// Shows every event to every reporter until all senders are gone. Secrets are masked here, once, before
/// any reporter sees an event.
///
/// Reporters write to their streams directly, so on a runtime with one thread a reader that does not
/// read would hold everything up.
pub async fn drive(
    mut events: UnboundedReceiver<Event>,
    mut reporters: Vec<BoxedReporter>,
    masks: Masks,
) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(mut event) = event else { break };
                masks.mask_event(&mut event);
                for reporter in &mut reporters {
                    reporter.event(&event);
                }
            }
            _ = ticks.tick() => {
                let now = Timestamp::now();
                for reporter in &mut reporters {
                    reporter.tick(now);
                }
            }
        }
    }
}
