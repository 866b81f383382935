//! What is fuzzed: one function for each reader of what somebody else wrote.
//!
//! `fuzz/` calls them with what libFuzzer thinks of, the tests with the inputs that are kept in `fuzz/corpus/` and
//! with changes of those. Each of them panics where a reader breaks a promise: that it comes to an end, that the
//! same text is read in the same way twice, that little text does not become much of anything, and what else it says.
//!
//! An input of several parts has lines of `%%` between them.

#![expect(clippy::missing_panics_doc, reason = "to panic is what they are for")]

mod files;
mod foreign;
mod hosts;
mod input;
mod shell;
#[cfg(test)]
mod tests;

pub use files::{diagnostics, project};
pub use foreign::foreign;
pub use hosts::{consul_json, docker_json, http, records, upstreams};
pub use shell::quoting;

use crate::transport::fuzzing;

/// `ssh_config`, a file that it may include, and who is looked up: `host user`.
pub fn ssh_config(input: &[u8]) {
    fuzzing::ssh_config(&input::parts(input));
}

/// `known_hosts`, and who is looked up: `host port`.
pub fn known_hosts(input: &[u8]) {
    fuzzing::known_hosts(&input::parts(input));
}
