//! Commands about the values that are sealed in the project.

mod desk;
mod edit;
mod list;
mod rotate;
mod set;
mod show;

pub use self::{edit::Edit, list::List, rotate::Rotate, set::Set, show::Show};
