//! Release records: labels of empty docker volumes, each host's on the host itself and on the next one, so that a
//! host that is lost and made anew can get back what it had.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;

use crate::{
    docker::{self, Volume, label},
    hosts::{Fleet, HostError, HostFailure, QUICK, Reached, within},
    model::HostName,
    release::{Number, Outcome, Record, read_records, volume_name},
    state::backend::StoredRecords,
    text,
};

/// Reads the records that the fleet's hosts keep, each host asked once and all at once.
pub async fn read(fleet: &Fleet, environment: &str, deadline: Duration) -> StoredRecords {
    let mut volumes = Vec::new();
    let mut failures = Vec::new();
    let asked = fleet.each(|reached| within(deadline, record_volumes(reached, environment)));
    for (reached, answer) in asked.await {
        match answer {
            Ok(found) => volumes.extend(found),
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    let (records, unreadable) = read_records(&volumes);
    StoredRecords {
        records,
        unreadable: unreadable.into_iter().collect(),
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

/// Writes one record for each host of the fleet. A host keeps several; when it fails, it is one failure.
pub async fn write(fleet: &Fleet, records: &[Record]) -> Vec<HostFailure> {
    let hosts = fleet.hosts();
    let mut writes = Vec::new();
    for record in records {
        let Some(own) = hosts
            .iter()
            .position(|reached| *reached.name() == record.host)
        else {
            continue;
        };
        let keepers: BTreeSet<usize> = [own, (own + 1) % hosts.len()].into();
        writes.extend(
            keepers
                .into_iter()
                .map(|keeper| write_one(&hosts[keeper], record)),
        );
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

async fn write_one(reached: &Reached, record: &Record) -> Result<(), HostFailure> {
    let write = async {
        let labels = record.volume_labels().map_err(|source| HostError::Output {
            command: "the release record".into(),
            source,
        })?;
        reached
            .expect(docker::volume_create(&record.volume_name(), &labels), QUICK)
            .await?;
        if record.outcome != Outcome::Unfinished {
            // The order matters: a run that is cut off between the two leaves both, and the finished one wins.
            let unfinished = volume_name(
                &record.environment,
                record.number,
                Outcome::Unfinished,
                &record.host,
            );
            reached
                .expect(docker::volume_remove(&[&unfinished]), QUICK)
                .await?;
        }
        Ok(())
    };
    write.await.map_err(|error| (reached.name().clone(), error))
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
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::release::Action;

    /// The volume of a release's record about a host.
    fn volume(number: u64, host: &str) -> Volume {
        let record = Record {
            number: Number(number),
            environment: "staging".into(),
            host: host.into(),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            revision: None,
            outcome: Outcome::Succeeded,
            recipes: BTreeMap::new(),
        };
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
