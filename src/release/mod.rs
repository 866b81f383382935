//! Releases: numbered records of what a deploy made of each host.
//!
//! A record is kept on the host it is about and on one more, so that a host that is made anew gets back
//! what it had. It is a label of an empty docker volume: every account that may use docker there finds it,
//! no other does, whatever home directories and groups the accounts have, and shipit needs no directory on
//! the host. (A label is one argument of `docker volume create`, which Linux limits to 128 KiB; a host's
//! record is a few kilobytes, as it has that host's specs only.)

mod checks;
mod cut_off;
mod history;
mod notes;
mod reading;
mod record;
mod signature;
mod summary;
#[cfg(test)]
pub(crate) mod tests;

pub use history::{History, Release};
pub use notes::{Notes, failure, message};
pub use reading::{Found, LeftOut, Reading, Terms, read_records};
pub use record::{Action, Number, Outcome, RecipeRecord, Record, Stopped, volume_name};
pub use signature::{RecordKey, signed_labels};
pub use summary::version;
