//! OpenSSH's client configuration, evaluated for one host.
//!
//! After `ssh_config(5)`: the first value of a keyword counts, but `IdentityFile` adds up; `Host` and
//! `Match` sections and `Include` anywhere. Keywords that mean nothing to us are not even parsed, so that
//! their values cannot be in our way. A section under a condition that we cannot decide (`Match exec`)
//! is an error only when it would decide over something we need.
//!
//! The ssh2-config crate is not used: with 0.9, the last value in a section counts instead of the first,
//! what stands under `Match` goes to the `Host` section above it, valid values of keywords that are none
//! of our business (`AddKeysToAgent confirm`, `ForwardAgent $SOCKET`) fail the whole file, and no error
//! has a line.

mod condition;
mod criteria;
mod evaluate;
mod keyword;
mod line;
mod patterns;
#[cfg(test)]
mod tests;
mod values;

pub(in crate::transport) use self::{
    condition::Lookup,
    evaluate::{ConfigFile, evaluate},
    keyword::Keyword,
    values::{ConfigProblem, HostConfig, Value},
};
