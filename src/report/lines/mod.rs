//! Events as lines: what plain output, the lines above the bars and the log file have in common.

mod ending;
mod narrator;
mod plan;
mod progress;

pub(super) use narrator::{Level, Line, Manner, Narrator, Stream, in_words, sent};
pub(super) use progress::{HostProgress, OpenStep, since};
