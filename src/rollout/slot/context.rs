//! What all slots of one rollout share.

use std::{ops::RangeInclusive, sync::Arc};

use crate::{
    balancers::{BackendLists, Routing},
    event::Events,
    hosts::Reached,
    model::{HostName, Name, Recipe},
    release::Number,
};

/// What all slots of one rollout share.
pub struct RolloutContext {
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// The environment's name.
    pub environment: String,
    /// The environment that it is a preview of, if it is one.
    pub preview_of: Option<String>,
    /// Who makes the release: `alice@laptop`.
    pub by: String,
    /// The release that is being made.
    pub release: Number,
    /// Where events go.
    pub events: Events,
    /// What routes requests to the recipe's containers.
    pub routing: Routing,
    /// What is in the files with backends of balancers.
    pub lists: Arc<BackendLists>,
    /// The ports of a host that containers get which publish `auto:PORT`.
    pub ports: RangeInclusive<u16>,
    /// The recipes with a container that the recipe requires, itself or through others; what those require comes
    /// first.
    pub required: Vec<RequiredRecipe>,
    /// How many Consul servers the recipe's cluster has when it is whole.
    pub consul_servers: usize,
    /// The hosts of these servers, where the recipe is Consul's own.
    pub consul_hosts: Vec<Reached>,
}

/// A recipe that another one requires.
pub struct RequiredRecipe {
    /// Its name.
    pub name: Name,
    /// The environment whose it is: a preview's base, where it is shared.
    pub environment: Name,
    /// Where it is to run.
    pub hosts: Vec<HostName>,
}
