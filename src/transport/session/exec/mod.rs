//! Commands: each on a channel of its own, run to its end, read from, or held.

mod exchange;
mod held;
mod lines;
mod output;
mod stdout;
mod upload;

pub(super) use exchange::{Deadline, Input, exchange};
pub use held::{Held, HeldEnd};
pub(super) use lines::Lines;
pub(super) use output::Collected;
pub use output::Output;
pub use stdout::Stdout;
pub(super) use upload::upload;
