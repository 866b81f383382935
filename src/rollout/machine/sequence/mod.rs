//! The stages of one replacement, in their order.
//!
//! Going forward and going back are the same stages with the two containers in each other's place.

mod arrive;
mod blue_green;
mod consul_servers;
mod drain;
mod leave;
mod order;
mod stage;

pub(super) use order::{forward, revert, turn_back};
pub(super) use stage::{Await, Limit, OnTimeout, Point, Stage, Touched};
