//! Everything that outlives a run: the lock while it runs, the lasting lock, the release records.

pub mod lasting_lock;
pub mod lock;
pub mod records;
