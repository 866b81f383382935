//! The rollout of one recipe: [`machine`] decides, what is beside it carries that out.

pub mod driver;
pub mod gates;
pub mod machine;
pub mod probe;
pub mod quorum;
pub mod slot;
