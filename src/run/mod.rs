//! One run of a command: what it has at hand, and what ends it early.

pub mod context;
pub mod interrupt;

pub use context::Context;
pub use interrupt::{Interrupt, Interrupts};
