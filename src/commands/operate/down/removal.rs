//! Removes what shipit made in an environment: recipe after recipe, then the records.

use super::leftovers;
use crate::{
    docker::{self, Container},
    event::Outcome,
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, Run, Stop, progress},
    model::{Environment, Name},
    observe::Observed,
    run::Context,
    state, tasks,
};

/// Removes every container and every record, and of a preview all else that it has; where recipes stay, their
/// containers and all records stay too, and so does what a host has whose Consul agent cannot be asked. Returns the
/// hosts on which something could not be removed; an interrupt ends it between two recipes.
pub async fn remove_everything(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    stay: &[&Name],
) -> Run<Vec<HostFailure>> {
    let environment = context.environment;
    let is_preview = environment.preview.is_some();
    let (services, mut failures) = if is_preview {
        leftovers::services_of(environment, fleet, observed).await
    } else {
        Default::default()
    };
    let stays = |recipe: &str| stay.iter().any(|name| ***name == *recipe);
    let go = environment.recipes.iter().filter(|it| !stays(&it.name));
    let go: Vec<_> = go.collect();
    failures.extend(leftovers::deregister_own(context, fleet, observed, &go).await);
    // Consul would keep their services, and nothing would be left to find them by.
    let unasked: Vec<_> = failures.iter().map(|(host, _)| host.clone()).collect();
    for recipe in in_order_of_removal(environment, observed) {
        if recipe.as_deref().is_some_and(stays) {
            continue;
        }
        if context.interrupts.happened() {
            let message = "interrupted; what was not yet removed is still there";
            return Err(Stop::new(Outcome::Interrupted, message)
                .hint(format!("shipit down {}", environment.name)));
        }
        let removed = fleet
            .each(|reached| {
                let (recipe, is_kept) = (recipe.as_deref(), unasked.contains(reached.name()));
                async move {
                    if is_kept {
                        return Ok(());
                    }
                    remove_recipe(context, reached, observed, recipe).await
                }
            })
            .await;
        failures.extend(
            removed
                .into_iter()
                .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?))),
        );
    }
    if is_preview {
        failures.extend(leftovers::deregister(context, fleet, &services).await);
        failures.extend(leftovers::remove_volumes(context, fleet).await);
        if !failures.is_empty() {
            // By its records it is found again.
            return Ok(failures);
        }
    }
    if !unasked.is_empty() {
        return Ok(failures);
    }
    if stay.is_empty() {
        let state = state::open(environment, fleet);
        failures.extend(state.remove_all_records().await);
    }
    Ok(failures)
}

/// Removes the files of the lock of a preview that is gone. One that stays is no harm.
pub async fn forget_lock(context: &Context<'_>, fleet: &Fleet, failures: &[HostFailure]) {
    if context.environment.preview.is_none() || !failures.is_empty() {
        return;
    }
    state::lock::forget(context, fleet).await;
}

/// What others need goes last: the recipes from the last to the first, and before them (`None`) the
/// containers of recipes that the files no longer have.
fn in_order_of_removal(environment: &Environment, observed: &Observed) -> Vec<Option<String>> {
    let known: Vec<_> = environment
        .recipes
        .iter()
        .map(|recipe| recipe.name.to_string())
        .collect();
    let mut containers = observed
        .facts
        .hosts
        .values()
        .flat_map(|facts| &facts.containers);
    let has_orphan = containers.any(|container| {
        container
            .identity()
            .is_none_or(|identity| !known.contains(&identity.recipe))
    });
    let orphans = has_orphan.then_some(None);
    orphans
        .into_iter()
        .chain(known.into_iter().rev().map(Some))
        .collect()
}

async fn remove_recipe(
    context: &Context<'_>,
    reached: &Reached,
    observed: &Observed,
    recipe: Option<&str>,
) -> Result<(), HostError> {
    let environment = context.environment;
    let Some(facts) = observed.facts.hosts.get(reached.name()) else {
        return Ok(());
    };
    let belongs = |container: &&Container| {
        let of = container.identity().map(|identity| identity.recipe);
        match recipe {
            Some(recipe) => of.as_deref() == Some(recipe),
            None => of.is_none_or(|of| environment.recipe(&of).is_none()),
        }
    };
    for container in facts.containers.iter().filter(belongs) {
        let work = async {
            if container.state.running {
                let deadline = container.stop_timeout + QUICK;
                let stop = docker::stop(&container.name);
                reached.expect_of_those_there(stop, deadline).await?;
            }
            // Docker removes a one-off container by itself as soon as it has stopped.
            tasks::remove_now(reached, &container.name).await
        };
        let step = format!("remove {}", container.name);
        progress::step(context.events, reached.name(), recipe, &step, work, |()| {
            None
        })
        .await?;
    }
    Ok(())
}
