//! Everything that outlives a run: the lock while it runs, the lasting lock, and the release records.
//!
//! All of it is reached through one trait, [`Backend`]. [`open()`] says which one an environment uses.

mod backend;
pub mod lock;
mod on_hosts;
mod open;

pub use backend::{Attempt, Backend, LastingLock, Lock, StoredRecords};
pub use open::open;
