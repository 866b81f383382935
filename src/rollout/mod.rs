//! The rollout of one recipe: [`machine`] decides, what is beside it carries that out.
//!
//! [`driver`] drives the machine: it performs [`steps`] and looks at [`gates`], both on the containers of a
//! [`slot`]. [`probe`] sends requests meanwhile, and [`quorum`] asks before all of it whether Consul is whole.

pub mod driver;
pub mod gates;
pub mod machine;
pub mod probe;
pub mod quorum;
mod request;
pub mod slot;
pub mod steps;
#[cfg(test)]
pub(crate) mod testing;
