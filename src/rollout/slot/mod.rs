//! One place of a container while its rollout runs.

mod placement;

pub use placement::{Occupant, Occupants, SlotRun};
