//! Values that are sealed in the project, in age's format: `secrets/NAME.age`, for everyone whose key is in
//! `secrets/recipients`.

mod check;
mod envelope;
mod keys;
mod recipients;
mod store;
mod users;

#[cfg(test)]
mod tests;

pub use self::{
    check::{cannot_read_folder, check, no_recipients},
    envelope::{Envelope, Holder, seal},
    keys::{Keys, OwnRecipient},
    recipients::{RECIPIENTS, Recipient, Recipients},
    store::{file_of, names, read, read_recipients, write, write_recipients},
    users::{Users, add_users},
};

/// Why a value cannot be had, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The fact.
    pub cause: String,
    /// What to do.
    pub hint: String,
}
