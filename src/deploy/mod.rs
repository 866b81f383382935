//! A deploy or a rollback from beginning to end, in one order: nothing is changed anywhere before every host has
//! passed preflight and every image is there. `pipeline` lists the phases.

mod pipeline;
mod prune;
mod rollouts;
mod show;

pub use pipeline::{DeployRequest, Goal, deploy};
