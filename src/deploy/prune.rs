//! Removes what no rollback can need any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker::{self, Container, Identity},
    event::{EventKind, Events, Phase},
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached},
    model::Environment,
    release::{History, Number},
    state, text,
};

/// How many of the newest successful releases that brought a version keep their stopped containers.
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
        .recent_versions(host, WITH_CONTAINERS)
        .flat_map(|record| record.recipes.values().map(|recipe| recipe.hash.clone()))
        .collect();
    let containers = reached
        .read(
            docker::list_containers(environment),
            docker::parse_containers,
        )
        .await?;
    for container in not_needed(&containers, &kept_specs) {
        let remove = docker::remove(&container.name);
        reached.expect_of_those_there(remove, QUICK).await?;
    }
    prune_images(reached, history, gone).await
}

/// The stopped containers that no rollback would start. Of each recipe, instance and spec that is kept, the newest
/// is enough. The newest of all of an instance stays in any case: it may be the one that failed last, whose logs
/// are still wanted.
fn not_needed<'a>(
    containers: &'a [Container],
    kept_specs: &BTreeSet<String>,
) -> Vec<&'a Container> {
    let stopped: Vec<_> = containers
        .iter()
        .filter(|container| !container.state.running)
        .filter_map(|container| Some((container, container.identity()?)))
        .collect();
    let mut newest = BTreeMap::new();
    let mut newest_of_spec = BTreeMap::new();
    for (_, identity) in &stopped {
        let place = (identity.recipe.as_str(), identity.instance);
        let spec = (place, identity.spec.as_str());
        for release in [
            newest.entry(place).or_default(),
            newest_of_spec.entry(spec).or_default(),
        ] {
            *release = identity.release.max(*release);
        }
    }
    let is_needed = |identity: &Identity| {
        let place = (identity.recipe.as_str(), identity.instance);
        let spec = identity.spec.as_str();
        newest.get(&place) == Some(&identity.release)
            || kept_specs.contains(spec)
                && newest_of_spec.get(&(place, spec)) == Some(&identity.release)
    };
    stopped
        .iter()
        .filter(|(_, identity)| !is_needed(identity))
        .map(|(container, _)| *container)
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{SpecHash, parse_containers};

    /// A container of `web`, as docker shows it.
    fn container(release: u64, instance: u16, spec: &str, is_running: bool) -> serde_json::Value {
        let identity = Identity {
            environment: "test".to_owned(),
            recipe: "web".to_owned(),
            release,
            instance,
            spec: SpecHash::from_labels(spec, None),
        };
        serde_json::json!({
            "Id": format!("{release}-{instance}"),
            "Name": format!("/web-r{release}-{instance}"),
            "Image": "sha256:1d",
            "Config": { "Image": "web", "Labels": identity.labels() },
            "State": { "Status": if is_running { "running" } else { "exited" }, "Running": is_running, "Pid": 0 },
            "HostConfig": { "NetworkMode": "bridge", "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 } },
            "NetworkSettings": { "Ports": {} },
        })
    }

    #[test]
    fn versions_that_go_in_turn_do_not_pile_up() {
        let specs = ["v1", "v2", "v3"];
        let turns = (1..=59_u64).flat_map(|release| {
            let spec = specs[usize::try_from(release % 3).expect("small")];
            [
                container(release, 1, spec, false),
                container(release, 2, spec, false),
            ]
        });
        let failed = container(60, 1, "v4", false);
        let running = container(61, 1, "v1", true);
        let all: Vec<_> = turns.chain([failed, running]).collect();
        let all = parse_containers(&serde_json::Value::from(all).to_string()).expect("containers");
        let kept = specs.map(str::to_owned).into();
        let gone: BTreeSet<_> = not_needed(&all, &kept)
            .into_iter()
            .map(|container| container.name.as_str())
            .collect();
        let left: Vec<_> = all
            .iter()
            .map(|container| container.name.as_str())
            .filter(|name| !gone.contains(name))
            .collect();
        assert_eq!(
            left,
            [
                "web-r57-1",
                "web-r57-2",
                "web-r58-1",
                "web-r58-2",
                "web-r59-1",
                "web-r59-2",
                "web-r60-1",
                "web-r61-1"
            ]
        );
        // What no release that counts was made of goes, but for the newest.
        let left = all.len() - not_needed(&all, &BTreeSet::new()).len();
        assert_eq!(left, 3);
    }
}
