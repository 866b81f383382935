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
    /// What was here before, if anything.
    pub outgoing: Option<Outgoing>,
    /// Whether nothing of the recipe serves anywhere once this has gone. A balancer may keep the last one that it
    /// had, as one that may be dead is no worse than none.
    pub is_last: bool,
}

impl Replacement {
    /// Whether there is something to go back to.
    pub fn has_outgoing(&self) -> bool {
        self.outgoing.is_some()
    }
}

/// The container that was here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// It is up. Where the new one fails, it must be seen to serve again.
    Serves,
    /// It runs and is not well: docker restarts it over and over. Nothing is expected of it unless it is touched.
    Unwell,
    /// It is stopped: a release that was cut off took it away. Going back starts it.
    Kept,
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
