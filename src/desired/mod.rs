//! What is wanted on every host: from the files for a deploy, from records for a rollback, what runs for a
//! restart, a stop and a start.

mod from_files;
mod from_records;
mod from_running;
mod records;
#[cfg(test)]
mod tests;
mod unsigned;

pub use from_files::{from_files, read_secrets, setup, wanted_images};
pub use from_records::{describe, from_records, rollback_target};
pub use from_running::Again;
pub use records::{Hashes, Places, records};
pub use unsigned::refuse_unsigned;
