//! Phase: the rollouts of a deploy, recipe after recipe, and the reverting when one of them fails.

mod deployment;
mod failure;
mod finished;
mod host_rows;
mod in_order;
mod lock;
mod one;
mod revert;
mod running;
mod steps;
mod tasks;

pub use deployment::Deployment;
pub use finished::DeploymentResult;
pub use lock::while_locked;
pub use steps::announce_work;
