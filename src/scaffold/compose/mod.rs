//! Docker Compose: a recipe for each service, on every host.

mod deploy;
mod environment;
mod extends;
mod health;
mod keys;
mod networks;
mod ports;
mod project;
mod service;
mod shared;
mod volumes;

pub use self::project::convert;
