//! The program as a user types it, without a host: what it says, where it says it, and how it ends.
//!
//! `INSTA_UPDATE=always cargo test --test cli` renews the snapshots.

mod files;
mod foreign;
mod hosts;
mod init;
mod login_shells;
mod offline;
mod previews;
mod sealed;
mod typed;
