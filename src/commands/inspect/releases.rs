//! What commands that only look read of releases, and the rows that they make of it.

use std::time::Duration;

use crate::{
    event::{Outcome, ReleaseRow},
    hosts::{Fleet, Run, Stop},
    model::{Environment, HostName},
    observe::{Observed, observe_any},
    plan::Scope,
    release::{History, Number, Release, Terms},
    run::Context,
    state, text,
};

/// Reads as many hosts as answer, with their records.
pub async fn read(context: &Context<'_>, scope: &Scope) -> Run<(Fleet, Observed)> {
    let hosts = context.hosts_of(scope);
    let fleet = context.connect_to_any(&hosts).await?;
    let key = state::key_to_look(context).await;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let observed = observe_any(&fleet, context.environment, terms, context.events).await?;
    Ok((fleet, observed))
}

/// A release as it is shown.
pub fn row(history: &History, release: &Release) -> ReleaseRow {
    let Release {
        number,
        action,
        by,
        started,
        finished,
        revision,
        outcome,
        message,
        failure,
        hosts,
    } = release;
    let took = finished.map(|finished| finished.duration_since(*started));
    ReleaseRow {
        release: number.to_string(),
        outcome: outcome.to_string(),
        action: action.to_string(),
        changes: history.summary(*number),
        message: message.clone(),
        failure: failure.clone(),
        by: by.clone(),
        began: *started,
        took: took.and_then(|took| Duration::try_from(took).ok()),
        revision: revision.clone(),
        hosts: hosts.iter().map(ToString::to_string).collect(),
    }
}

/// A release that was named.
pub fn find(
    environment: &Environment,
    observed: &Observed,
    unread: &[&HostName],
    number: u64,
) -> Run<Release> {
    let number = Number(number);
    let releases = observed.history.releases();
    let found = releases.iter().find(|release| release.number == number);
    found.cloned().ok_or_else(|| {
        let name = &environment.name;
        let message = if unread.is_empty() {
            format!("`{name}` has no record of {number}")
        } else {
            let unread = text::list(unread);
            format!("no host that answers has a record of {number}; not read: {unread}")
        };
        Stop::new(Outcome::Failed, message).hint(format!(
            "`shipit history {name} -n 1000` lists the releases"
        ))
    })
}
