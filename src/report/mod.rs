//! Reporters make all output, and make it from events alone.
//!
//! What goes where, as in cargo and docker: **standard output has what was asked for** (a plan, the lines
//! that a user's commands print, the rows of `status` and `history`, and the sentence with the result),
//! **standard error everything else** (bars, progress, warnings, questions, errors). With
//! `--output json`, standard output has one event a line and nothing else is written at all. Where standard output is a
//! remote command's, as with `console`, all of it goes to standard error.
//!
//! Reporters have no clock. Each event carries its time, and [`drive()`] passes on the time between events,
//! so that a recorded list of events always shows the same.

mod bars;
mod choose;
mod drive;
mod json;
mod lines;
mod log_file;
mod masks;
mod options;
mod plain;
mod queue;
mod reporter;
mod sink;
mod text;

#[cfg(test)]
mod tests;

pub use choose::{for_terminal, json, log_file, plain};
pub use drive::drive;
pub use masks::Masks;
pub use options::{Choice, Output, Verbosity};
pub use reporter::{BoxedReporter, Reporter};
pub use text::Colour;
