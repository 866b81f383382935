//! The files of a project, as they are found and read.

mod project;

pub(super) use project::check_default;
pub use project::{Project, default_environment};
