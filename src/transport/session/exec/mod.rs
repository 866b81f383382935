//! Commands: each on a channel of its own, run to its end, read from, or held.

mod exchange;
mod held;
mod interactive;
mod lines;
mod output;
mod sink;
mod stdout;
mod upload;

pub use exchange::Deadline;
pub(super) use exchange::{Input, exchange};
pub use held::{Held, HeldEnd};
pub(super) use interactive::interact;
pub use interactive::{InteractiveEnd, PseudoTerminal, Streams, WindowSize};
pub use output::Output;
pub(super) use output::{Collected, MOST};
pub(super) use sink::EachLine;
pub use stdout::Stdout;
pub(super) use stdout::waited_for_output;
pub(super) use upload::upload;
