//! Hooks: commands on the deployer's machine when a release begins and when it ends.

mod fire;
mod input;
mod process;

pub use fire::Hooks;
pub use input::{HookInput, HookRecipe, input_schema};
