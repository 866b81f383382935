//! Events as lines: what plain output, the lines above the bars and the log file have in common.

mod error;
mod formatter;
mod line;
mod look;
mod phase;
mod plan;
mod progress;
mod redraw;
mod run;
mod steps;
mod table;

pub(super) use formatter::LineFormatter;
pub(super) use line::{Level, Line, LineOptions, Stream};
pub(super) use phase::phase_name;
pub(super) use progress::{Countdown, HostProgress, OpenStep, WHOLE, since};
