//! Release records: labels of empty docker volumes, each host's on the host itself and on the next one, so that a
//! host that is lost and made anew can get back what it had.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;

use crate::{
    docker::{self, Volume, label},
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, within},
    model::{Environment, HostName},
    release::{
        Found, Number, Outcome, Record, RecordKey, Terms, read_records, signed_labels, volume_name,
    },
    state::backend::StoredRecords,
    text,
};

/// Reads the records that the fleet's hosts keep, each host asked once and all at once.
pub async fn read(
    fleet: &Fleet,
    environment: &Environment,
    terms: Terms<'_>,
    deadline: Duration,
) -> StoredRecords {
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    let asked = fleet.each(|reached| within(deadline, record_volumes(reached, &environment.name)));
    for (reached, answer) in asked.await {
        match answer {
            Ok(volumes) => answers.push((reached.name(), volumes)),
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    let found = answers.iter().flat_map(|(on, volumes)| {
        let volumes = volumes.iter();
        volumes.map(move |volume| Found { on, volume })
    });
    StoredRecords {
        reading: read_records(environment, terms, found),
        failures,
    }
}

/// The volumes that keep records on a host.
async fn record_volumes(reached: &Reached, environment: &str) -> Result<Vec<Volume>, HostError> {
    let mut volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    volumes.retain(|volume| volume.labels.contains_key(label::RECORD));
    Ok(volumes)
}

/// Writes records about hosts of the fleet, each on its host and on that host's keeper, if the run has reached that
/// one. A host keeps several; when it fails, it is one failure.
pub async fn on_each(
    fleet: &Fleet,
    environment: &Environment,
    records: &[Record],
    write: impl AsyncFn(&Reached, &Record) -> Result<(), HostError>,
) -> Vec<HostFailure> {
    let write = &write;
    let mut writes = Vec::new();
    for record in records {
        if fleet.host(&record.host).is_none() {
            continue;
        }
        let keeper = environment.keeper_of(&record.host);
        let on: BTreeSet<_> = [&record.host].into_iter().chain(keeper).collect();
        let on = on.into_iter().filter_map(|host| fleet.host(host));
        writes.extend(on.map(async |reached| {
            let written = write(reached, record).await;
            written.map_err(|error| (reached.name().clone(), error))
        }));
    }
    let written = join_all(writes).await;
    one_for_each_host(written.into_iter().filter_map(Result::err))
}

fn one_for_each_host(failures: impl Iterator<Item = HostFailure>) -> Vec<HostFailure> {
    let mut seen = BTreeSet::new();
    failures
        .filter(|(host, _)| seen.insert(host.clone()))
        .collect()
}

/// A record that cannot be written as JSON.
fn unwritable(source: serde_json::Error) -> HostError {
    HostError::Output {
        command: "the release record".into(),
        source,
    }
}

/// Writes a record on one host.
pub async fn write_one(
    reached: &Reached,
    record: &Record,
    key: Option<&RecordKey>,
) -> Result<(), HostError> {
    let labels = signed_labels(record, key).map_err(unwritable)?;
    let create = docker::volume_create(&record.volume_name(), &labels);
    reached.expect(create, QUICK).await?;
    if record.outcome != Outcome::Unfinished {
        // The order matters: a run that is cut off between the two leaves both, and the finished one wins.
        let unfinished = volume_name(
            &record.environment,
            record.number,
            Outcome::Unfinished,
            &record.host,
        );
        let remove = docker::volume_remove(&[&unfinished]);
        reached.expect(remove, QUICK).await?;
    }
    Ok(())
}

/// Signs a record that one host has. The labels of a volume cannot be changed, so another takes its place.
pub async fn sign_one(
    reached: &Reached,
    record: &Record,
    key: &RecordKey,
) -> Result<(), HostError> {
    let labels = signed_labels(record, Some(key)).map_err(unwritable)?;
    let replace = docker::volume_replace(&record.volume_name(), &labels);
    reached.expect(replace, QUICK).await.map(|_| ())
}

/// Removes from every host the records whose volume `is_gone` picks. A host that has none is not asked again.
pub async fn remove(
    fleet: &Fleet,
    environment: &str,
    is_gone: impl Fn(&Volume) -> bool,
) -> Vec<HostFailure> {
    let is_gone = &is_gone;
    let removed = fleet.each(|reached| async move {
        let volumes = record_volumes(reached, environment).await?;
        let gone = volumes.iter().filter(|volume| is_gone(volume));
        let names: Vec<_> = gone.map(|volume| volume.name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let command = docker::volume_remove(&names);
        reached.expect(command, QUICK).await.map(|_| ())
    });
    let failed = removed.await.into_iter().filter_map(|(reached, result)| {
        let error = result.err()?;
        Some((reached.name().clone(), error))
    });
    failed.collect()
}

/// Whether a volume keeps the record of one of these releases, about a host that is not in `except`.
pub fn is_of(volume: &Volume, releases: &BTreeSet<Number>, except: &BTreeSet<HostName>) -> bool {
    let release = volume
        .labels
        .get(label::RELEASE)
        .and_then(|text| text.parse().ok());
    let record = volume.labels.get(label::RECORD);
    let host = record.and_then(|json| Some(text::parse_json::<Record>(json).ok()?.host));
    release.is_some_and(|number| releases.contains(&Number(number)))
        && !host.is_some_and(|host| except.contains(&host))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
    };

    use jiff::Timestamp;

    use super::*;
    use crate::{
        hosts::testing::{TestFleet, behaviour, prints},
        release::{Action, Notes},
    };

    fn record(number: u64, host: &str) -> Record {
        Record {
            number: Number(number),
            environment: "staging".into(),
            preview_of: None,
            host: host.into(),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            revision: None,
            outcome: Outcome::Succeeded,
            recipes: BTreeMap::new(),
            notes: Notes::default(),
        }
    }

    /// The volume of a release's record about a host.
    fn volume(number: u64, host: &str) -> Volume {
        let record = record(number, host);
        Volume {
            name: record.volume_name(),
            labels: record.volume_labels().expect("labels"),
        }
    }

    #[test]
    fn a_host_that_cannot_write_any_of_its_records_is_named_once() {
        let failed = |host: &str, fact: &str| (host.into(), HostError::Fact(fact.into()));
        let failures = [
            failed("host-2", "full"),
            failed("host-1", "gone"),
            failed("host-2", "full"),
        ];
        let named = one_for_each_host(failures.into_iter());
        let named: Vec<_> = named.iter().map(|(host, _)| &**host).collect();
        assert_eq!(named, ["host-2", "host-1"]);
    }

    /// On which of three hosts the record of a release of `host-1` is written, when a run reaches some of them.
    async fn written(reached: &[&str]) -> Vec<usize> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let behaviours = (1..=3).map(|at| {
            let asked = asked.clone();
            behaviour().script(move |command: &str| {
                if command.contains("volume create") {
                    asked.lock().expect("not poisoned").push(at);
                }
                prints("")
            })
        });
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        let lab = TestFleet::new(&[("web", recipe)], behaviours.collect()).await;
        let fleet = lab.fleet.without(|host| !reached.contains(&&**host));
        let write =
            async |reached: &Reached, record: &Record| write_one(reached, record, None).await;
        let failures = on_each(&fleet, &lab.environment, &[record(1, "host-1")], write).await;
        assert!(failures.is_empty(), "{failures:?}");
        let mut asked = asked.lock().expect("not poisoned").clone();
        asked.sort_unstable();
        asked
    }

    #[tokio::test]
    async fn who_keeps_a_copy_does_not_depend_on_whom_a_run_reaches() {
        assert_eq!(written(&["host-1", "host-2", "host-3"]).await, [1, 2]);
        assert_eq!(written(&["host-1", "host-3"]).await, [1], "no other copy");
        assert_eq!(written(&["host-2", "host-3"]).await, [] as [usize; 0]);
    }

    #[test]
    fn the_records_of_a_host_that_could_not_be_pruned_stay() {
        let (releases, except) = ([Number(1)].into(), ["host-2".into()].into());
        let is_gone = |volume: &Volume| is_of(volume, &releases, &except);
        assert!(is_gone(&volume(1, "host-1")));
        assert!(!is_gone(&volume(1, "host-2")), "host-2 is not pruned");
        assert!(!is_gone(&volume(2, "host-1")), "release 2 is kept");
        let mut rubbish = volume(1, "host-2");
        rubbish.labels.insert(label::RECORD.into(), "{}".into());
        assert!(is_gone(&rubbish), "nobody can read it");
    }
}
