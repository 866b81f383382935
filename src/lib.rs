//! An SSH-driven, agentless deployer of Docker containers.
//!
//! The way of a deploy through the code is the way of this list:
//! files → [`config`] → [`model`] → [`facts`] → [`plan`] → [`rollout`], carried out by [`deploy`] over
//! [`transport`], told by [`event`]s to the [`report`]ers, and kept as a [`release`].
//! `docs/ARCHITECTURE.md` has the table of the modules and what each may use.

pub mod balancers;
pub mod command;
pub mod commands;
pub mod config;
pub mod consul;
pub mod deploy;
pub mod desired;
pub mod diagnostic;
pub mod docker;
pub mod event;
pub mod facts;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod hooks;
pub mod hosts;
pub mod http;
pub mod images;
pub mod model;
pub mod observe;
pub mod plan;
pub mod release;
pub mod report;
pub mod rollout;
pub mod run;
pub mod scaffold;
pub mod secrets;
pub mod setup;
pub mod state;
pub mod tasks;
pub mod terminal;
pub mod text;
pub mod transport;
