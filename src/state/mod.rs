//! Everything that outlives a run: the lock while it runs, the lasting lock, and the release records.
//!
//! All of it is reached through one trait, [`Backend`]. [`open()`] says which one an environment uses.

mod backend;
mod key;
pub mod lock;
mod on_hosts;
mod open;

pub use backend::{Advice, Attempt, Backend, Holder, LastingLock, Lock, StoredRecords};
pub use key::{key_of, key_to_look, read_key};
pub use open::open;
