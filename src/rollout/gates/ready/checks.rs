//! Every kind of `[ready]` check. A new kind is a file beside this one and a line in [`passes`].

use futures::FutureExt;

use super::{
    consul, container::CheckedContainer, exited::how_it_exited, grpc, healthcheck, http, run, tcp,
};
use crate::{
    hosts::HostError,
    model::Ready,
    rollout::{
        gates::observation::{holds, never},
        machine::{Observation, Side, Verdict},
        slot::Placement,
    },
};

/// Looks whether the containers of one side are ready.
pub(in crate::rollout::gates) async fn check(
    placement: &Placement,
    side: Side,
) -> Result<Observation, HostError> {
    let mut good = Vec::new();
    for before in placement.containers_of(side).await {
        let name = &before.name.active;
        let Some(container) = placement.inspect(name).await? else {
            return Ok(never(format!("the container `{name}` is gone")));
        };
        if let Some(exited) = how_it_exited(&container, &before) {
            return Ok(never(exited));
        }
        let checked = CheckedContainer {
            placement,
            side,
            container: &container,
        };
        let seen = passes(&checked).await?;
        if seen.verdict != Verdict::Holds {
            return Ok(seen);
        }
        good.push(seen.detail);
    }
    Ok(holds(good.join(", ")))
}

/// Asks check after check until one does not hold. A kind that the recipe does not set returns `None`.
async fn passes(checked: &CheckedContainer<'_>) -> Result<Observation, HostError> {
    // A kind that is declared and not asked for below is named by the compiler here.
    let Ready {
        healthcheck: _,
        tcp: _,
        http: _,
        grpc: _,
        run: _,
        consul: _,
    } = &checked.placement.host_recipe.ready;
    // What is cheap and looks at the container itself comes first.
    let kinds = [
        async { Ok(healthcheck::check(checked)) }.boxed(),
        tcp::check(checked).boxed(),
        http::check(checked).boxed(),
        grpc::check(checked).boxed(),
        run::check(checked).boxed(),
        consul::check(checked).boxed(),
    ];
    let mut seen = holds(checked.endpoint());
    for kind in kinds {
        match kind.await? {
            Some(observation) if observation.verdict != Verdict::Holds => return Ok(observation),
            Some(observation) if !observation.detail.is_empty() => seen = observation,
            Some(_) | None => {}
        }
    }
    Ok(seen)
}
