//! Text for people: cleaned for a terminal, measured, coloured; numbers and times as people read them.

mod clean;
mod format;
mod style;
mod wrap;

pub(super) use clean::{clean, clean_lines, columns, fit, pad, strip_escapes};
pub(super) use format::{bytes_of, count, counted, precise_seconds, rate, whole_seconds};
pub use style::Colour;
pub(super) use style::{Paint, Painter};
pub(super) use wrap::wrapped;
