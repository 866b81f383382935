//! Text whose last holes are filled when the release and the container are known.

mod each;
mod error;
mod helpers;
mod limits;
mod names;
mod render;
mod rounds;
mod unquoted;

pub use error::TemplateError;
pub use helpers::HELPERS;
pub use render::{LateValues, Template};
pub(super) use render::{is_template, render};
pub(super) use unquoted::unquoted;

#[cfg(test)]
mod tests;
