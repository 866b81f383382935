//! The hosts of a run: the sessions to them, what can go wrong there, and whether they are fit for a change.

pub mod fleet;
pub mod preflight;
pub mod progress;
pub mod stop;

pub use fleet::{Fleet, HostError, QUICK, Reached, failed, short};
pub use stop::{Run, Stop, row};
