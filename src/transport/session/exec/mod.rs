//! Commands: each on a channel of its own, run to its end, read from, or held.

mod exchange;
mod held;
mod lines;
mod stdout;
mod upload;

pub(super) use exchange::{Deadline, Exchange, Input, brief};
pub use held::{Held, HeldEnd};
pub(super) use lines::Lines;
pub use stdout::Stdout;
pub(super) use upload::upload;
