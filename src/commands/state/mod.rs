//! Commands about what outlives a run: the key and the signatures of release records.

mod key;
mod sign;

pub use self::{key::Key, sign::Sign};
