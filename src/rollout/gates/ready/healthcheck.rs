//! `ready.healthcheck`: docker's own healthcheck says `healthy`.

use super::container::CheckedContainer;
use crate::{
    rollout::{
        gates::observation::{holds, never, not_yet},
        machine::Observation,
    },
    text,
};

/// Reads what docker's healthcheck says.
pub(super) fn check(checked: &CheckedContainer<'_>) -> Option<Observation> {
    if !checked.placement.host_recipe.ready.healthcheck {
        return None;
    }
    Some(match &checked.container.state.health {
        None => never("`ready.healthcheck` is set, but the image has no HEALTHCHECK"),
        Some(health) if health.status != "healthy" => {
            let last = health.log.last();
            let last = last.map(|result| text::reason(&result.output));
            not_yet(format!(
                "docker's healthcheck says {}: {}",
                health.status,
                last.unwrap_or_default()
            ))
        }
        Some(_) => holds(""),
    })
}
