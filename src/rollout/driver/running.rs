//! The slots of one recipe while they are rolled out.

use std::sync::Arc;

use crate::{
    model::Recipe,
    rollout::{
        machine::{Policy, Replacement, Side},
        slot::Placement,
    },
};

/// The slots of one recipe while they are rolled out.
pub struct Running {
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// How.
    pub policy: Policy,
    /// The share of the requests that the canaries get until the others follow; `None` for an equal one.
    pub canary_share: Option<String>,
    /// The slots, in the rollout's order.
    pub slots: Vec<Arc<Placement>>,
}

impl Running {
    /// The slots as the state machine knows them.
    pub fn replacements(&self) -> Vec<Replacement> {
        let replacement = |slot: &Arc<Placement>| Replacement {
            host: slot.reached.name().clone(),
            has_incoming: slot.plan.incoming.is_some(),
            incoming_runs: slot.plan.incoming.as_ref().is_some_and(|it| it.runs),
            outgoing: slot.outgoing(),
            is_last: slot.is_last,
        };
        self.slots.iter().map(replacement).collect()
    }

    /// Whether docker was seen to have the new container of each slot.
    pub async fn made(&self) -> Vec<bool> {
        let mut made = Vec::new();
        for slot in &self.slots {
            let new = slot.containers_of(Side::New).await;
            made.push(new.iter().any(|container| container.inspected.is_some()));
        }
        made
    }
}
