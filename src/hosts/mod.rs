//! The hosts of a run: their sessions, what can go wrong on them, and the checks before a change.

mod error;
mod fleet;
mod output;
pub mod preflight;
pub mod progress;
mod reached;
mod stop;
#[cfg(test)]
pub(crate) mod testing;

pub use error::{HostError, HostFailure, failed, short};
pub use fleet::Fleet;
pub use output::{each_line, last_lines, read_lines, stream};
pub use reached::{QUICK, Reached, SOON, why_ended, within};
pub use stop::{Run, Stop, row};
