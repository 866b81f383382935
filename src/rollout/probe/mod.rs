//! Proof that a rollout loses nothing: a steady stream of requests through the balancer for its length.

mod errors;
mod sender;
mod tally;
mod target;
mod watch;

pub use errors::ErrorWatch;
pub use watch::ProbeWatch;
