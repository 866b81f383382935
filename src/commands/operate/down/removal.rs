//! Removes what shipit made in an environment: recipe after recipe, then the records.

use crate::{
    docker::{self, Container},
    event::Outcome,
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop, progress},
    model::{Environment, HostName},
    observe::Observed,
    run::Context,
};

/// Removes every container and every record. Returns the hosts on which something could not be removed; an
/// interrupt ends it between two recipes.
pub async fn remove_everything(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
) -> Run<Vec<(HostName, HostError)>> {
    let environment = context.environment;
    let mut failures = Vec::new();
    for recipe in in_order_of_removal(environment, observed) {
        if context.interrupts.happened() {
            let message = "interrupted; what was not yet removed is still there";
            return Err(Stop::new(Outcome::Interrupted, message)
                .hint(format!("shipit down {}", environment.name)));
        }
        let removed = fleet
            .each(|reached| remove_recipe(context, reached, observed, recipe.as_deref()))
            .await;
        failures.extend(failed(removed));
    }
    let removed = fleet
        .each(|reached| remove_records(reached, &environment.name))
        .await;
    failures.extend(failed(removed));
    Ok(failures)
}

fn failed(results: Vec<(&Reached, Result<(), HostError>)>) -> Vec<(HostName, HostError)> {
    results
        .into_iter()
        .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?)))
        .collect()
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
                reached
                    .expect(docker::stop(&container.name), deadline)
                    .await?;
            }
            reached.expect(docker::remove(&container.name), QUICK).await
        };
        let step = format!("remove {}", container.name);
        progress::tell(context.events, reached.name(), recipe, &step, work, |_| {
            None
        })
        .await?;
    }
    Ok(())
}

/// Removes the records. A lasting lock stays: it was placed on purpose.
async fn remove_records(reached: &Reached, environment: &str) -> Result<(), HostError> {
    let volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    let records: Vec<_> = volumes
        .iter()
        .filter(|volume| volume.labels.contains_key(docker::label::RECORD))
        .map(|volume| volume.name.as_str())
        .collect();
    if records.is_empty() {
        return Ok(());
    }
    reached
        .expect(docker::volume_remove(&records), QUICK)
        .await
        .map(|_| ())
}
