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
    let (mut would, failed) = on_each(fleet, environment, history, &gone, Mode::Look).await;
    for (host, pruned) in &mut would {
        pruned.records = records_that_go(history, host, &gone);
    }
    (would, failed)
}

/// The releases whose records go.
fn gone(environment: &Environment, history: &History) -> BTreeSet<Number> {
    let prunable = history.prunable(environment.keep_releases);
    prunable.iter().map(|release| release.number).collect()
}

/// How many records of a host go.
fn records_that_go(history: &History, host: &HostName, gone: &BTreeSet<Number>) -> usize {
    let records = history.records_of(host);
    records
        .filter(|record| gone.contains(&record.number))
        .count()
}

/// All hosts: what became of each, and those that failed.
async fn on_each(
    fleet: &Fleet,
    environment: &Environment,
    history: &History,
    gone: &BTreeSet<Number>,
    mode: Mode<'_>,
) -> (Vec<(HostName, Pruned)>, Vec<HostFailure>) {
    let found = fleet.each(|reached| prune_host(reached, &environment.name, history, gone, mode));
    let (mut pruned, mut failed) = (Vec::new(), Vec::new());
    for (reached, result) in found.await {
        let host = reached.name().clone();
        match result {
            Ok(of_host) => pruned.push((host, of_host)),
            Err(error) => failed.push((host, error)),
        }
    }
    (pruned, failed)
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
    let (mut pruned, mut failed) = on_each(fleet, environment, history, &gone, mode).await;
    // The records go last: they name the images that are still to be removed from a host.
    let with_leftovers = failed.iter().map(|(host, _)| host.clone()).collect();
    let state = state::open(environment, fleet);
    let mut not_removed = state.remove_records(&gone, &with_leftovers).await;
    not_removed.retain(|(host, _)| !with_leftovers.contains(host));
    for (host, of_host) in &mut pruned {
        if !not_removed.iter().any(|(failed, _)| failed == host) {
            of_host.records = records_that_go(history, host, &gone);
        }
    }
    failed.extend(not_removed);
    (pruned, failed)
}
