//! What every command on hosts shares: how it runs, what it has at hand, which part of the environment it
//! is about, and its log.

pub mod consul;
mod environment;
pub mod invocation;
pub mod log_file;
pub mod routes;
pub mod run;
pub mod scope;
mod standard_output;
