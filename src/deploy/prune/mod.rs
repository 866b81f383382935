//! Removes what no rollback can need any more.

mod needed;
mod of_host;

use std::collections::BTreeSet;

pub use of_host::Pruned;
use of_host::{Mode, prune_host};

use crate::{
    event::{EventKind, Events, Phase},
    hosts::{Fleet, HostFailure},
    model::{Environment, HostName},
    release::{History, Number},
    state, text,
};

/// Removes the records of old releases, and the stopped containers and images that only they could need. What
/// cannot be removed is a warning: the next deploy tries again.
pub async fn prune(fleet: &Fleet, environment: &Environment, history: &History, events: &Events) {
    let (_, failed) = remove(fleet, environment, history, events, false).await;
    for (host, error) in failed {
        let message = format!("could not tidy up: {}", text::chain(&error).join(": "));
        events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message,
            hint: None,
        });
    }
}

/// The same for whoever asks for it: what was removed on each host, and how much that freed.
pub async fn prune_measured(
    fleet: &Fleet,
    environment: &Environment,
    history: &History,
    events: &Events,
) -> (Vec<(HostName, Pruned)>, Vec<HostFailure>) {
    remove(fleet, environment, history, events, true).await
}

/// What [`prune_measured`] would remove. Nothing is changed.
pub async fn prunable(
    fleet: &Fleet,
    environment: &Environment,
    history: &History,
) -> (Vec<(HostName, Pruned)>, Vec<HostFailure>) {
    let gone = gone(environment, history);
    let mode = Mode::Look;
    let found = fleet.each(|reached| prune_host(reached, &environment.name, history, &gone, mode));
    let (mut would, mut failed) = (Vec::new(), Vec::new());
    for (reached, result) in found.await {
        let host = reached.name().clone();
        match result {
            Ok(mut pruned) => {
                let records = history.records_of(&host).map(|record| record.number);
                pruned.records = records.filter(|number| gone.contains(number)).count();
                would.push((host, pruned));
            }
            Err(error) => failed.push((host, error)),
        }
    }
    (would, failed)
}

/// The releases whose records go.
fn gone(environment: &Environment, history: &History) -> BTreeSet<Number> {
    let prunable = history.prunable(environment.keep_releases);
    prunable.iter().map(|release| release.number).collect()
}

async fn remove(
    fleet: &Fleet,
    environment: &Environment,
    history: &History,
    events: &Events,
    measured: bool,
) -> (Vec<(HostName, Pruned)>, Vec<HostFailure>) {
    events.send(EventKind::Phase {
        phase: Phase::Prune,
    });
    let gone = gone(environment, history);
    let mode = Mode::Remove { events, measured };
    let found = fleet.each(|reached| prune_host(reached, &environment.name, history, &gone, mode));
    let (mut pruned, mut failed) = (Vec::new(), Vec::<HostFailure>::new());
    for (reached, result) in found.await {
        match result {
            Ok(of_host) => pruned.push((reached.name().clone(), of_host)),
            Err(error) => failed.push((reached.name().clone(), error)),
        }
    }
    // The records go last: they name the images that are still to be removed from a host.
    let with_leftovers = failed.iter().map(|(host, _)| host.clone()).collect();
    let state = state::open(environment, fleet);
    let mut not_removed = state.remove_records(&gone, &with_leftovers).await;
    not_removed.retain(|(host, _)| !with_leftovers.contains(host));
    for (host, of_host) in &mut pruned {
        let records = history.records_of(host).map(|record| record.number);
        let is_removed = !not_removed.iter().any(|(failed, _)| failed == host);
        of_host.records = records
            .filter(|number| is_removed && gone.contains(number))
            .count();
    }
    failed.extend(not_removed);
    (pruned, failed)
}
