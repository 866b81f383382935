//! Mistakes in files, each with its place: a fact, the underlined text, a hint. Collected, so that all of
//! them are shown at once.

mod problem;
mod problems;
mod render;
mod source;

pub use problem::Problem;
pub use problems::Problems;
pub use render::Style;
pub use source::{Located, Place, SourceFile};
