//! The hosts of a run: the sessions to them, what can go wrong there, and whether they are fit for a change.

mod error;
mod fleet;
pub mod preflight;
pub mod progress;
mod reached;
mod stop;

pub use error::{HostError, failed, short};
pub use fleet::Fleet;
pub use reached::{QUICK, Reached};
pub use stop::{Run, Stop, row};
