//! Text whose last holes are filled when the release and the container are known.

mod error;
mod helpers;
mod limits;
mod names;
mod render;
mod rounds;

pub use error::TemplateError;
pub use helpers::HELPERS;
pub use render::{LateValues, Template};
pub(super) use render::{is_template, render};

#[cfg(test)]
mod tests;
