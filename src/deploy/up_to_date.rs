//! The end of a deploy that found nothing to change.

use jiff::Timestamp;

use super::{
    record::{hashes, new_record},
    request::{DeployRequest, Goal},
    wanted::Wanted,
};
use crate::{
    desired,
    event::EventKind,
    hosts::Fleet,
    observe::Observed,
    plan::{Plan, Scope},
    release::{Action, History, Number, Outcome, Record},
    run::Context,
    state,
};

/// Completes the record of a release that was cut off, and says why a rollback has nothing to do.
pub async fn up_to_date(
    context: &Context<'_>,
    request: &DeployRequest,
    fleet: &Fleet,
    observed: &Observed,
    wanted: &Wanted,
    plan: &Plan,
) {
    // Only a deploy of everything can say that everything is as a release wanted it, and only one that holds the
    // lock can say that nobody else works on that release.
    if !request.dry_run && request.goal == Goal::Files && request.scope == Scope::default() {
        finish_a_cut_off_release(context, fleet, observed, wanted, plan).await;
    }
    if let Action::RollbackTo(target) = wanted.action {
        warn_that_it_runs(context, &observed.history, target);
    }
}

/// Says that the target of a rollback runs already, why that is so, and how to go further back.
fn warn_that_it_runs(context: &Context<'_>, history: &History, target: Number) {
    let earlier = history.succeeded_before(target);
    let newest = history
        .releases()
        .pop()
        .filter(|newest| newest.number > target);
    let because = newest.map(|newest| {
        let (number, end) = (newest.number, desired::describe(newest.outcome));
        format!(", as {number} {end}")
    });
    context.events.send(EventKind::Warning {
        host: None,
        message: format!("{target} is already running{}", because.unwrap_or_default()),
        hint: earlier.map(|earlier| {
            let environment = &context.environment.name;
            format!("`shipit rollback {environment} --to {earlier}` goes further back")
        }),
    });
}

/// Records a release as succeeded that was cut off after its last change and before its record, so that a rollback
/// finds it. It has succeeded when everything runs as it wanted.
async fn finish_a_cut_off_release(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    wanted: &Wanted,
    plan: &Plan,
) {
    let releases = observed.history.releases();
    let Some(newest) = releases
        .last()
        .filter(|release| release.outcome == Outcome::Unfinished)
    else {
        return;
    };
    let hashes = hashes(plan);
    let as_wanted = hashes.iter().all(|((recipe, host), hash)| {
        let record = observed.history.record(host, newest.number);
        record
            .and_then(|record| record.recipes.get(&**recipe))
            .is_some_and(|recipe| recipe.hash == *hash)
    });
    if !as_wanted {
        return;
    }
    let template = Record {
        number: newest.number,
        outcome: Outcome::Succeeded,
        finished: Some(Timestamp::now()),
        action: newest.action,
        by: newest.by.clone(),
        started: newest.started,
        revision: newest.revision.clone(),
        ..new_record(context, newest.number, newest.action)
    };
    let records = desired::records(
        context.environment,
        &template,
        &wanted.scope,
        &wanted.desired,
        &observed.history,
        &hashes,
    );
    let state = state::open(context.environment, fleet);
    let failures = state.write_records(&records).await;
    let message = match failures.first() {
        None => format!(
            "{} was cut off after its last change; it is now recorded as succeeded",
            newest.number
        ),
        Some((host, error)) => format!(
            "{} was cut off, and its record on `{host}` cannot be finished: {error}",
            newest.number
        ),
    };
    context.events.send(EventKind::Note { message });
}
