//! What the services of a file share.

use std::collections::BTreeMap;

use super::{networks::Networks, volumes::Volumes};
use crate::model::Name;

/// What the services share.
pub struct Shared {
    /// What the project is called: a part of the names of its networks.
    pub project: Name,
    /// The networks.
    pub networks: Networks,
    /// The volumes.
    pub volumes: Volumes,
    /// What each service's recipe is called.
    pub recipes: BTreeMap<String, Name>,
}
