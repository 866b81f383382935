//! The gates of a rollout: what it waits for before it goes on. One file for each kind of gate, each a function
//! that looks once. How long a gate may take, and what happens when it does not hold in time, the machine
//! decides (`rollout/machine/sequence`).

mod check;
mod gone;
mod idle;
mod leader;
mod observation;
mod quorum;
mod ready;
mod required;
mod routed;

pub use check::check;
pub use quorum::cluster_is_whole;
