//! Reads what an environment has now: containers, records, Consul, balancers, the lasting lock.

use jiff::Timestamp;

use super::{
    instance::{Seen, instances},
    of_consul::of_consul,
};
use crate::{
    commands::{
        inspect::{previews, releases},
        on_hosts::routes::{self, Answer},
    },
    event::{EventKind, Events, LockRow, PreviewRow, Status},
    hosts::{Fleet, HostError, Run, SOON, within},
    observe::{Observed, observe_any},
    plan::Scope,
    release::{RecordKey, Terms},
    run::Context,
    state, text,
};

/// Reads as many hosts as answer.
pub async fn read(
    context: &Context<'_>,
    scope: &Scope,
    fleet: &Fleet,
    key: Option<&RecordKey>,
    events: &Events,
) -> Run<Status> {
    let environment = context.environment;
    let terms = Terms { key, strays: false };
    let observed = observe_any(fleet, environment, terms, events).await?;
    let (answers, previews, consul, lock) = tokio::join!(
        answers(context, fleet, &observed),
        previews(context, fleet, terms),
        fleet.each(|reached| of_consul(context, reached)),
        lasting_lock(context, fleet, &observed, events),
    );
    let mut rows = Vec::new();
    for recipe in environment.recipes.iter().filter(|it| it.has_container()) {
        for (reached, consul) in &consul {
            let Some(facts) = observed.facts.hosts.get(reached.name()) else {
                continue;
            };
            rows.extend(instances(&Seen {
                recipe,
                reached,
                facts,
                history: &observed.history,
                consul,
                answers: &answers,
            }));
        }
    }
    let history = &observed.history;
    let newest = history.releases().pop();
    let unread = observed.unread(&context.hosts_of(scope));
    Ok(Status {
        release: newest.map(|release| releases::row(history, &release)),
        lock,
        instances: rows,
        previews,
        unread: unread.iter().map(ToString::to_string).collect(),
    })
}

/// The previews of an environment that may have some, as far as the hosts can be read.
async fn previews(context: &Context<'_>, fleet: &Fleet, terms: Terms<'_>) -> Vec<PreviewRow> {
    let environment = context.environment;
    if environment.previews.is_none() || environment.preview.is_some() {
        return Vec::new();
    }
    let (found, failures) = previews::read::read(fleet, context, terms, Timestamp::now()).await;
    previews::warn_of(&failures, context);
    found.into_iter().map(|it| it.row).collect()
}

/// Where balancers route to that some recipe drains through.
async fn answers(context: &Context<'_>, fleet: &Fleet, observed: &Observed) -> Vec<Answer> {
    let mut recipes = context.environment.recipes.iter();
    if recipes.any(|recipe| recipe.drain.is_some()) {
        routes::of_balancers(context.environment, fleet, &observed.facts).await
    } else {
        Vec::new()
    }
}

/// The lock that `shipit lock` placed. Where it cannot be read that is a warning.
async fn lasting_lock(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    events: &Events,
) -> Option<LockRow> {
    let environment = context.environment;
    let keeper = environment.lock_host();
    let lock = if observed.unread(&[keeper]).is_empty() {
        let state = state::open(environment, fleet);
        let asking = async { state.lasting_lock().await.map_err(|(_, error)| error) };
        within(SOON, asking).await
    } else {
        Err(HostError::Fact("it was not read".to_owned()))
    };
    match lock {
        Ok(lock) => lock.map(|lock| LockRow {
            by: lock.by,
            since: lock.at,
            message: lock.message,
        }),
        Err(error) => {
            let why = text::chain(&error).join(": ");
            events.send(EventKind::Warning {
                host: Some(keeper.name.to_string()),
                message: format!(
                    "whether `{}` is locked is not known: {why}",
                    environment.name
                ),
                hint: None,
            });
            None
        }
    }
}
