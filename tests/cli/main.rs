//! The program as a user types it, without a host: what it says, where it says it, and how it ends.
//!
//! `INSTA_UPDATE=always cargo test --test cli` renews the snapshots.

mod files;
mod foreign;
mod hooks_page;
mod hosts;
mod init;
mod login_shells;
mod offline;
mod previews;
mod sealed;
mod typed;
mod widths;

#[path = "../pages/mod.rs"]
#[expect(dead_code, reason = "the tests of the pages use more of it")]
mod pages;
#[path = "../transport/server.rs"]
#[expect(dead_code, reason = "the transport's own tests use more of it")]
mod server;
