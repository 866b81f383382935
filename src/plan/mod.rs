//! What would change, and why: computed from what is wanted and what is there, without any I/O.

mod accessory;
mod beyond;
mod build;
mod changes;
mod difference;
mod input;
mod lists;
mod names;
mod ports;
mod remarks;
mod slot;
#[cfg(test)]
mod tests;

pub use beyond::{beyond, settings};
pub use build::build;
pub use changes::{Change, ContainerName, Incoming, ListPlan, Plan, RecipePlan, Remark, SlotPlan};
pub use difference::{Difference, differences, fields};
pub use input::{Desired, DesiredState, Input, Scope, TaskRef};
