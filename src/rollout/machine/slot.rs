//! The places of containers that a rollout is about.

use crate::model::HostName;

/// One place of a container on a host: what one replacement is about. An index into the list that the
/// rollout was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// What is to happen in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The host the slot is on.
    pub host: HostName,
    /// Whether a container is to run here afterwards.
    pub has_incoming: bool,
    /// Whether that one runs already and is only put in order. Going back does not stop it, unless an old one
    /// serves in its place.
    pub incoming_runs: bool,
    /// Whether a container runs (or was kept) here before.
    pub has_outgoing: bool,
}

/// Which of a slot's two containers an action is about. A revert is the same sequence with the two in
/// each other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one this rollout brings up.
    New,
    /// The one that was here before.
    Old,
}
