//! Events as lines: what plain output, the lines above the bars and the log file have in common.

mod formatter;
mod plan;
mod progress;
mod run;

pub(super) use formatter::{Level, Line, LineFormatter, LineOptions, Stream, phase_name, sent};
pub(super) use progress::{HostProgress, OpenStep, since};
