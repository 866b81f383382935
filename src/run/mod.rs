//! One run of a command: what it has at hand, what was selected for it, and what ends it early.

pub mod context;
pub mod interrupt;
pub mod selection;

pub use context::Context;
pub use interrupt::{Interrupts, Stage};
pub use selection::{limit, recipes};
