//! A deploy or a rollback from beginning to end, in one order: nothing is changed anywhere before every host has
//! passed preflight and every image is there.
//!
//! `pipeline` lists the phases; each other file is one of them.

mod credentials;
mod last_checks;
mod lists;
mod one_offs;
mod pipeline;
mod planning;
mod prune;
mod reach;
mod record;
mod request;
mod rollouts;
mod up_to_date;
mod wanted;

#[cfg(test)]
mod tests;

pub use pipeline::deploy;
pub use prune::{Pruned, prunable, prune_measured};
pub use request::{DeployRequest, Goal, Trust};
