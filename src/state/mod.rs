//! Everything that outlives a run: the lock while it runs, the lasting lock, the release records.

mod on_hosts;

pub use on_hosts::{lasting_lock, lock, records};
