//! Release records on the hosts: one for each host, and a copy of it on the next one.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::{
    docker,
    hosts::{Fleet, HostError, QUICK, Reached},
    model::HostName,
    release::{Number, Outcome, Record, volume_name},
};

/// Writes one record for each host, on the host itself and on the next one of the fleet, so that a host
/// that is lost and made anew can get back what it had.
pub async fn write(fleet: &Fleet, records: &[Record]) -> Vec<(HostName, HostError)> {
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
    join_all(writes)
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect()
}

async fn write_one(reached: &Reached, record: &Record) -> Result<(), (HostName, HostError)> {
    let write = async {
        let labels = record.volume_labels().map_err(|source| HostError::Output {
            command: "the release record".into(),
            source,
        })?;
        reached
            .expect(docker::volume_create(&record.volume_name(), &labels), QUICK)
            .await?;
        if record.outcome != Outcome::Unfinished {
            // Only now: if we are cut off between the two, the finished record is there and wins.
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

/// Removes the records of these releases from a host.
pub async fn remove(
    reached: &Reached,
    environment: &str,
    gone: &BTreeSet<Number>,
) -> Result<(), HostError> {
    if gone.is_empty() {
        return Ok(());
    }
    let volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    let is_gone = |volume: &&docker::Volume| {
        let release = volume
            .labels
            .get(docker::label::RELEASE)
            .and_then(|text| text.parse().ok());
        volume.labels.contains_key(docker::label::RECORD)
            && release.is_some_and(|n| gone.contains(&Number(n)))
    };
    let names: Vec<_> = volumes
        .iter()
        .filter(is_gone)
        .map(|volume| volume.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    reached
        .expect(docker::volume_remove(&names), QUICK)
        .await
        .map(|_| ())
}
