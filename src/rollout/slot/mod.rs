//! One place of a container while its rollout runs, as `steps` and `gates` both need it.

mod container;
mod context;
mod placement;

pub use container::{SlotContainer, SlotContainers};
pub use context::{RequiredRecipe, RolloutContext};
pub use placement::Placement;
