//! Kamal: a recipe for each role and each accessory, an environment for each destination.

mod accessories;
mod container;
mod environment;
mod hosts;
mod merge;
mod project;
mod proxy;
mod roles;
mod settings;

pub use self::project::{Destination, convert};
