//! The kinds of values that the files' keys take.

mod count;
mod duration;
mod lists;
mod plain;
mod scalar;
mod words;

pub use count::CountValue;
pub use duration::DurationValue;
pub use lists::{Entries, OneOrMany};
pub use scalar::{Scalar, VarValue};
pub use words::{HostKeys, Source, UpdateOrder};
