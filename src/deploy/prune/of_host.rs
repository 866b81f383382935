//! Removes from one host what it does not need any more, or says what that is.

use std::collections::BTreeSet;

use super::needed::{kept_specs, not_needed, unused_images};
use crate::{
    docker::{self, Container, DiskUsage, label},
    event::Events,
    hosts::{HostError, QUICK, Reached, failed, progress},
    release::{History, Number, Record},
    text,
};

/// What happens to what is not needed.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// It is only found.
    Look,
    /// It is removed.
    Remove {
        /// Where each step goes.
        events: &'a Events,
        /// Whether somebody wants to see the steps and to know how much was freed.
        measured: bool,
    },
}

/// What is removed of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The containers, by name.
    pub containers: Vec<String>,
    /// The images, as docker was told them.
    pub images: Vec<String>,
    /// How many records of releases.
    pub records: usize,
    /// How much of the disk that takes, in bytes; `None` where docker did not say.
    pub bytes: Option<u64>,
}

/// Removes the stopped containers and the images that nothing can need any more, or only finds them.
pub async fn prune_host(
    reached: &Reached,
    environment: &str,
    history: &History,
    gone: &BTreeSet<Number>,
    mode: Mode<'_>,
) -> Result<Pruned, HostError> {
    let list = docker::list_containers(environment);
    let containers = reached.read(list, docker::parse_containers).await?;
    let removed = not_needed(&containers, &kept_specs(history, reached.name()));
    let mut images = unused_images(history, reached.name(), gone, &containers, &removed);
    if !images.is_empty() {
        let others = images_of_others(reached, environment).await?;
        images.retain(|image| !others.contains(image));
    }
    match mode {
        Mode::Look => look(reached, &removed, &images).await,
        Mode::Remove { events, measured } => {
            let usage = if measured && !(removed.is_empty() && images.is_empty()) {
                usage(reached).await
            } else {
                None
            };
            let events = measured.then_some(events);
            remove(reached, &removed, &images, usage.as_ref(), events).await
        }
    }
}

/// The images that records of other environments on the host name: a rollback there may need them.
async fn images_of_others(
    reached: &Reached,
    environment: &str,
) -> Result<BTreeSet<String>, HostError> {
    let volumes = reached.read(docker::inspect_records(), docker::parse_volumes);
    let volumes = volumes.await?;
    let records = volumes.iter().filter_map(|volume| {
        let json = volume.labels.get(label::RECORD)?;
        text::parse_json::<Record>(json).ok()
    });
    let others = records.filter(|record| record.environment != environment);
    let images = others.flat_map(|record| {
        let recipes = record.recipes.into_values();
        recipes.map(|recipe| recipe.image.reference)
    });
    Ok(images.collect())
}

/// All of it. A host may say what it likes.
fn sum(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

/// What docker says of its disk. It may take a while, and an older docker does not say it in this form: then how much
/// is freed is not known.
async fn usage(reached: &Reached) -> Option<DiskUsage> {
    let asked = reached.run(docker::disk_usage(), QUICK).await;
    let output = asked.ok().filter(|output| output.status == 0)?;
    Some(docker::parse_disk_usage(&output.stdout))
}

async fn look(
    reached: &Reached,
    removed: &[&Container],
    images: &BTreeSet<String>,
) -> Result<Pruned, HostError> {
    let there = if images.is_empty() {
        Vec::new()
    } else {
        let references: Vec<_> = images.iter().map(String::as_str).collect();
        let command = docker::inspect_images(&references);
        reached.read(command, docker::parse_images).await?
    };
    let usage = usage(reached).await;
    let bytes = usage.map(|usage| {
        let containers = removed.iter().map(|it| usage.container(&it.id));
        let images = there.iter().map(|image| usage.image(&image.id));
        sum(containers.chain(images))
    });
    Ok(Pruned {
        containers: removed.iter().map(|it| it.name.clone()).collect(),
        images: there.into_iter().map(|image| image.reference).collect(),
        records: 0,
        bytes,
    })
}

async fn remove(
    reached: &Reached,
    removed: &[&Container],
    images: &BTreeSet<String>,
    usage: Option<&DiskUsage>,
    events: Option<&Events>,
) -> Result<Pruned, HostError> {
    let mut pruned = Pruned::default();
    let mut bytes = 0;
    for container in removed {
        let command = docker::remove(&container.name);
        let work = reached.expect_of_those_there(command, QUICK);
        match events {
            Some(events) => {
                let step = format!("remove {}", container.name);
                progress::step(events, reached.name(), None, &step, work, |_| None).await?;
            }
            None => drop(work.await?),
        }
        let of_container = usage.map(|usage| usage.container(&container.id));
        bytes = sum([bytes].into_iter().chain(of_container));
        pruned.containers.push(container.name.clone());
    }
    for reference in images {
        let output = reached.run(docker::image_remove(reference), QUICK).await?;
        if output.status != 0 && !docker::keeps_the_image(&output.stderr) {
            return Err(failed("docker rmi".to_owned(), &output));
        }
        let deleted = docker::deleted_images(&output.stdout);
        if let Some(usage) = usage {
            let of_images = deleted.iter().map(|id| usage.image(id));
            bytes = sum([bytes].into_iter().chain(of_images));
        }
        if !output.stdout.trim().is_empty() {
            pruned.images.push(reference.clone());
        }
    }
    pruned.bytes = usage.map(|_| bytes);
    Ok(pruned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::{prunable, prune_measured};
    use super::*;
    use crate::{
        hosts::testing::{Act, TestFleet, fails, prints},
        model::Environment,
        release::RecipeRecord,
    };

    fn image(release: u64) -> String {
        format!("web@sha256:{release}{release}")
    }

    /// What a release ran: an image of its own.
    fn ran(release: u64) -> RecipeRecord {
        let recipe = json!({
            "spec": { "image": format!("web:{release}") },
            "image": { "reference": image(release), "digest": format!("sha256:{release}{release}") },
            "instances": 1,
            "hash": format!("{release}"),
        });
        serde_json::from_value(recipe).expect("of a recipe")
    }

    fn record(environment: &str, release: u64) -> Record {
        let record = json!({
            "number": release, "environment": environment, "host": "host-1", "action": "deploy",
            "by": "alice@laptop", "started": "1970-01-01T00:00:00Z", "outcome": "succeeded",
            "recipes": { "web": ran(release) },
        });
        serde_json::from_value(record).expect("a record")
    }

    /// The container of a release; the fourth runs.
    fn container(release: u64) -> Value {
        json!({
            "Id": format!("{release}0123456789abcdef"), "Name": format!("/web-r{release}"),
            "Image": "sha256:aa",
            "State": { "Status": "exited", "Running": release == 4 },
            "Config": { "Image": image(release), "Labels": {
                "shipit.environment": "staging", "shipit.recipe": "web", "shipit.instance": "1",
                "shipit.release": release.to_string(), "shipit.spec": release.to_string(),
            } },
            "HostConfig": {},
        })
    }

    /// A host with the images of four releases and a container of each but the second. Another environment may go back
    /// to the image of the first.
    async fn lab() -> (TestFleet, History) {
        lab_where(prints("Untagged: web\nDeleted: sha256:2f01234567890000\n")).await
    }

    /// The same, where `docker rmi` comes to this.
    async fn lab_where(rmi: Vec<Act>) -> (TestFleet, History) {
        let containers = Value::from([1, 3, 4].map(container).to_vec()).to_string();
        let labels =
            json!({ label::RECORD: serde_json::to_string(&record("other", 1)).expect("JSON") });
        let volumes = json!([{ "Name": "shipit-other-r1", "Labels": labels }]).to_string();
        let mut lab = TestFleet::of_one(move |command| match command {
            _ if command.contains("docker ps") => prints(&containers),
            _ if command.contains("docker volume ls") => prints(&volumes),
            _ if command.contains("system df") => {
                prints("image 2f0123456789 1.5MB\ncontainer 10123456789a 2kB\n")
            }
            _ if command.contains("docker image inspect") => {
                prints(&format!("{} [\"sha256:2f0123456789\",[],[]]\n", image(2)))
            }
            _ if command.contains("docker rmi") => rmi.clone(),
            _ => prints(""),
        })
        .await;
        lab.environment.keep_releases = 2;
        let records = (1..=4).map(|release| record("staging", release)).collect();
        let history = History::new(BTreeMap::from([("host-1".into(), records)]), 4);
        (lab, history)
    }

    /// The commands that change something on the host.
    fn changes(lab: &TestFleet) -> Vec<String> {
        let commands = lab.servers[0].seen.commands.lock().expect("not poisoned");
        let is_change = |it: &&String| {
            ["docker rm ", "docker rmi ", "docker volume rm "]
                .iter()
                .any(|change| it.contains(change))
        };
        commands.iter().filter(is_change).cloned().collect()
    }

    #[tokio::test]
    async fn what_would_go_is_only_told() {
        let (lab, history) = lab().await;
        let environment: &Environment = &lab.environment;
        let (would, failed) = prunable(&lab.fleet, environment, &history).await;
        assert!(failed.is_empty());
        let expected = Pruned {
            containers: vec!["web-r1".into()],
            images: vec![image(2)],
            records: 2,
            bytes: Some(1_502_000),
        };
        assert_eq!(would, [("host-1".into(), expected)]);
        assert_eq!(changes(&lab), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn an_image_that_docker_cannot_remove_is_a_failure_unless_it_is_used() {
        let used = "Error response from daemon: conflict: unable to delete 2f01 (cannot be forced) - image is being used by running container 0a1b";
        let busy = "Error response from daemon: unlinkat /var/lib/docker/overlay2/ab: device or resource busy";
        for (stderr, is_failure) in [(used, false), (busy, true)] {
            let (lab, history) = lab_where(fails(1, stderr)).await;
            let environment: &Environment = &lab.environment;
            let (_, failed) = prune_measured(&lab.fleet, environment, &history, &lab.events).await;
            let failed: Vec<_> = failed.iter().map(|(_, error)| error.to_string()).collect();
            assert_eq!(failed.len(), usize::from(is_failure), "{failed:?}");
        }
    }

    #[tokio::test]
    async fn what_goes_is_measured_and_what_others_need_stays() {
        let (lab, history) = lab().await;
        let environment: &Environment = &lab.environment;
        let (pruned, failed) = prune_measured(&lab.fleet, environment, &history, &lab.events).await;
        assert!(failed.is_empty(), "{}", failed.len());
        let (_, of_host) = &pruned[0];
        assert_eq!(of_host.containers, ["web-r1"]);
        assert_eq!(of_host.images, [image(2)]);
        assert_eq!(of_host.bytes, Some(1_502_000));
        let changes = changes(&lab);
        assert!(
            changes[0].contains("docker rm --force --volumes web-r1"),
            "{changes:?}"
        );
        assert!(
            changes[1].contains(&format!("docker rmi {}", image(2))),
            "{changes:?}"
        );
        assert!(
            !changes.iter().any(|it| it.contains(&image(1))),
            "{changes:?}"
        );
    }
}
