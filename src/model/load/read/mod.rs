//! The files of a project, as they are found and read.

mod default;
mod file;
mod inventories;
mod project;
mod recipes;

pub(super) use default::check_default;
pub use default::{default_environment, environments_with_previews};
pub(super) use file::{expect_file, unreadable};
pub(super) use inventories::inventories;
pub use project::Project;
pub(super) use recipes::{RawRecipe, recipes};
