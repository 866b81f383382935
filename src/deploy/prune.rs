//! Removes what no rollback can need any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker,
    event::{EventKind, Events, Phase},
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached},
    model::Environment,
    release::{History, Number},
    state, text,
};

/// How many of the newest successful releases keep their stopped containers.
const WITH_CONTAINERS: usize = 3;

/// Removes the records of old releases, and the stopped containers and images that only they could need. What
/// cannot be removed is a warning: the next deploy tries again.
pub async fn prune(fleet: &Fleet, environment: &Environment, history: &History, events: &Events) {
    events.send(EventKind::Phase {
        phase: Phase::Prune,
    });
    let gone: BTreeSet<Number> = history
        .prunable(environment.keep_releases)
        .iter()
        .map(|release| release.number)
        .collect();
    let pruned = fleet
        .each(|reached| prune_host(reached, &environment.name, history, &gone))
        .await;
    let failed = pruned
        .into_iter()
        .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?)));
    let mut failed: Vec<HostFailure> = failed.collect();
    // The records go last: they name the images that are still to be removed from a host.
    let with_leftovers = failed.iter().map(|(host, _)| host.clone()).collect();
    let state = state::open(environment, fleet);
    let mut not_removed = state.remove_records(&gone, &with_leftovers).await;
    not_removed.retain(|(host, _)| !with_leftovers.contains(host));
    failed.extend(not_removed);
    for (host, error) in failed {
        let message = format!("could not tidy up: {}", text::chain(&error).join(": "));
        events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message,
            hint: None,
        });
    }
}

async fn prune_host(
    reached: &Reached,
    environment: &str,
    history: &History,
    gone: &BTreeSet<Number>,
) -> Result<(), HostError> {
    let host = reached.name();
    let kept_specs: BTreeSet<String> = history
        .recent_successes(host, WITH_CONTAINERS)
        .flat_map(|record| record.recipes.values().map(|recipe| recipe.hash.clone()))
        .collect();
    let containers = reached
        .read(
            docker::list_containers(environment),
            docker::parse_containers,
        )
        .await?;
    // The newest stopped container of each instance stays in any case: it may be the one that failed last, whose
    // logs are still wanted.
    let mut newest = BTreeMap::<(String, u16), u64>::new();
    let stopped: Vec<_> = containers
        .iter()
        .filter(|container| !container.state.running)
        .filter_map(|container| Some((container, container.identity()?)))
        .collect();
    for (_, identity) in &stopped {
        let release = newest
            .entry((identity.recipe.clone(), identity.instance))
            .or_default();
        *release = (*release).max(identity.release);
    }
    for (container, identity) in &stopped {
        let is_newest =
            newest.get(&(identity.recipe.clone(), identity.instance)) == Some(&identity.release);
        if !is_newest && !kept_specs.contains(identity.spec.as_str()) {
            let remove = docker::remove(&container.name);
            reached.expect_of_those_there(remove, QUICK).await?;
        }
    }
    prune_images(reached, history, gone).await
}

async fn prune_images(
    reached: &Reached,
    history: &History,
    gone: &BTreeSet<Number>,
) -> Result<(), HostError> {
    let images = |of_gone: bool| -> BTreeSet<String> {
        history
            .records_of(reached.name())
            .filter(|record| gone.contains(&record.number) == of_gone)
            .flat_map(|record| {
                record
                    .recipes
                    .values()
                    .map(|recipe| recipe.image.reference.clone())
            })
            .collect()
    };
    for reference in images(true).difference(&images(false)) {
        // Docker refuses while a container uses the image, and the image may be gone already: both are fine.
        reached.run(docker::image_remove(reference), QUICK).await?;
    }
    Ok(())
}
