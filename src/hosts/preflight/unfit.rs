//! What a failed check says.

use crate::hosts::HostError;

/// A check that failed.
pub struct Unfit {
    /// What is wrong.
    pub error: HostError,
    /// What to type.
    pub hint: String,
}
