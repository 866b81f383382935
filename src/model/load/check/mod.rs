//! What no part can see by itself: whether the parts of a recipe fit together, and what a project has beside
//! its environments.

mod canary;
mod consul;
mod fit;
mod inventory;
mod kind;
mod listed;
mod project;
mod ready;
mod recipes;
mod register;
mod rollout;

pub(super) use inventory::warn_without_recipes;
pub use project::check_the_rest;
pub(super) use recipes::recipes;
