//! How what was asked for is shown.

use crate::report::text::Painter;

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookOptions {
    pub(crate) painter: Painter,
    /// The columns of the terminal; without one nothing is cut.
    pub(crate) width: Option<usize>,
}
