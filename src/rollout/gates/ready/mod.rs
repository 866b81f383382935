//! The gate `Ready`: the containers run and pass every check of the recipe's `[ready]`. One file for each kind of
//! check; `checks` lists them.

mod checks;
mod consul;
mod container;
mod exited;
mod grpc;
mod healthcheck;
mod http;
mod run;
mod tcp;

pub(super) use checks::check;
