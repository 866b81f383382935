//! Which containers and images of a host no rollback can need any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker::{Container, Identity},
    model::HostName,
    release::{History, Number},
};

/// How many of the newest successful releases that brought a version keep their stopped containers.
const WITH_CONTAINERS: usize = 3;

/// The hashes of the specs whose stopped containers a host keeps.
pub fn kept_specs(history: &History, host: &HostName) -> BTreeSet<String> {
    history
        .recent_versions(host, WITH_CONTAINERS)
        .flat_map(|record| record.recipes.values().map(|recipe| recipe.hash.clone()))
        .collect()
}

/// The stopped containers that no rollback would start. Of each recipe, instance and spec that is kept, the newest
/// is enough. The newest of all of an instance stays in any case: it may be the one that failed last, whose logs
/// are still wanted.
pub fn not_needed<'a>(
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

/// The images that only releases that go, or containers that go, had on a host. What a record that stays names is
/// kept, and what a container that stays was made from.
pub fn unused_images(
    history: &History,
    host: &HostName,
    gone: &BTreeSet<Number>,
    containers: &[Container],
    removed: &[&Container],
) -> BTreeSet<String> {
    let of_records = |of_gone: bool| {
        let records = history.records_of(host);
        let records = records.filter(move |record| gone.contains(&record.number) == of_gone);
        records.flat_map(|record| {
            let recipes = record.recipes.values();
            recipes.map(|recipe| recipe.image.reference.clone())
        })
    };
    let is_removed = |container: &Container| removed.iter().any(|it| it.id == container.id);
    let stays = containers.iter().filter(|it| !is_removed(it));
    let kept: BTreeSet<_> = of_records(false)
        .chain(stays.map(|container| container.image.clone()))
        .collect();
    let goes = removed.iter().map(|container| container.image.clone());
    let unused = of_records(true).chain(goes);
    unused.filter(|image| !kept.contains(image)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{SpecHash, parse_containers};

    /// A container of `web`, as docker shows it.
    fn container(release: u64, instance: u16, spec: &str, is_running: bool) -> serde_json::Value {
        let identity = Identity {
            environment: "test".to_owned(),
            preview_of: None,
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
