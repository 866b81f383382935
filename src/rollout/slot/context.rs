//! What all slots of one rollout share.

use std::sync::Arc;

use crate::{balancers::Routing, event::Events, hosts::Reached, model::Recipe, release::Number};

/// What all slots of one rollout share.
pub struct RolloutContext {
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// The environment's name.
    pub environment: String,
    /// The release that is being made.
    pub release: Number,
    /// Where events go.
    pub events: Events,
    /// What routes requests to the recipe's containers.
    pub routing: Routing,
    /// How many Consul servers the recipe's cluster has when it is whole.
    pub consul_servers: usize,
    /// The hosts of these servers, where the recipe is Consul's own.
    pub consul_hosts: Vec<Reached>,
}
