//! Removes the previews that are old, one after the other.

use jiff::Timestamp;

use super::read::{FoundPreview, last_change, read};
use crate::{
    commands::{
        on_hosts::{consul, invocation::Invocation},
        operate::down::removal,
    },
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{Fleet, HostFailure, Run, Stop, preflight, row},
    model::PreviewSettings,
    observe::observe,
    release::Terms,
    run::Context,
    state::{self, lock},
    text,
};

/// Removes those that are older than `keep` and the oldest beyond `limit`. Asks before, unless `is_agreed`.
pub async fn prune(invocation: &Invocation<'_>, is_agreed: bool) -> Run<Outcome> {
    let context = &invocation.context;
    let environment = context.environment;
    let hosts: Vec<_> = environment.hosts.iter().collect();
    let asking = context.with_consul(consul::access(context).await?);
    let fleet = asking.connect_to(&hosts, |_| true).await?;
    preflight::check(&fleet, environment, context.events).await?;
    let key = state::key_of(context).await?;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let (found, failures) = read(&fleet, context, terms, Timestamp::now()).await;
    if !failures.is_empty() {
        let names = text::list(failures.iter().map(|(host, _)| host));
        let message = format!("cannot read the previews on {names}; nothing was removed");
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    let all = found.len();
    let old: Vec<_> = found
        .into_iter()
        .filter(|it| it.row.prune.is_some())
        .collect();
    if old.is_empty() {
        let message = nothing_is_old(all, environment.previews.as_ref());
        context.events.send(EventKind::Note { message });
        fleet.close().await;
        return Ok(Outcome::NothingToDo);
    }
    let previews = old.iter().map(|it| it.row.clone()).collect();
    context.events.send(EventKind::Previews { previews });
    let state = "nothing was removed";
    let question = question(&old);
    if !is_agreed && !invocation.confirm(question, state).await? {
        fleet.close().await;
        let message = state.to_owned();
        context.events.send(EventKind::Note { message });
        return Ok(Outcome::NothingToDo);
    }
    let removed = remove_all(context, &fleet, &old, terms).await;
    fleet.close().await;
    removed
}

fn nothing_is_old(all: usize, settings: Option<&PreviewSettings>) -> String {
    let there = match all {
        0 => "there is no preview".to_owned(),
        1 => "the only preview stays".to_owned(),
        all => format!("all {all} previews stay"),
    };
    match settings {
        Some(settings) => format!(
            "{there}: `keep` is {}, `limit` is {}",
            text::duration(settings.keep),
            settings.limit
        ),
        None => there,
    }
}

fn question(old: &[FoundPreview]) -> String {
    let names = text::list(old.iter().map(|it| &it.row.preview));
    format!(
        "Remove the preview{} {names}?",
        if old.len() == 1 { "" } else { "s" }
    )
}

/// One that fails, or that somebody deploys meanwhile, keeps no other from going.
async fn remove_all(
    context: &Context<'_>,
    fleet: &Fleet,
    old: &[FoundPreview],
    terms: Terms<'_>,
) -> Run<Outcome> {
    context.events.send(EventKind::Phase {
        phase: Phase::Deploy,
    });
    let (mut failed, mut kept) = (Vec::new(), 0);
    for preview in old {
        if context.interrupts.happened() {
            let message = "interrupted; what was not yet removed is still there";
            let hint = format!("shipit previews {} --prune", context.environment.name);
            return Err(Stop::new(Outcome::Interrupted, message).hint(hint));
        }
        let name = &preview.environment.name;
        let context = context.of(&preview.environment);
        let failures = match Box::pin(remove(&context, fleet, terms, preview.row.since)).await {
            Ok(None) => {
                let message = format!("`{name}` was deployed meanwhile, and stays");
                context.events.send(EventKind::Note { message });
                kept += 1;
                continue;
            }
            Ok(Some(failures)) if failures.is_empty() => {
                let message = format!("removed `{name}`");
                context.events.send(EventKind::Note { message });
                continue;
            }
            Ok(Some(failures)) => causes(&failures),
            Err(stop) if stop.outcome == Outcome::Interrupted => return Err(stop),
            Err(stop) => {
                let causes = stop.report.causes.iter().cloned();
                [stop.report.message.clone()]
                    .into_iter()
                    .chain(causes)
                    .collect()
            }
        };
        failed.push((name.clone(), failures));
    }
    for reached in fleet.hosts().iter().filter(|_| failed.is_empty()) {
        let state = format!("{} removed", text::count(old.len() - kept, "preview"));
        let row = row(reached.name(), &state, Severity::Good);
        context.events.send(EventKind::HostState { row });
    }
    let Some((first, _)) = failed.first() else {
        return Ok(Outcome::Done);
    };
    let names = text::list(failed.iter().map(|(name, _)| name));
    let hint = format!("shipit down {first}");
    let mut stop = Stop::new(Outcome::Failed, format!("not removed: {names}")).hint(hint);
    let causes = failed
        .iter()
        .map(|(name, causes)| format!("`{name}`: {}", causes.join(": ")));
    stop.report.causes = causes.collect();
    Err(stop)
}

fn causes(failures: &[HostFailure]) -> Vec<String> {
    let each = failures.iter();
    each.map(|(host, error)| format!("`{host}`: {}", text::chain(error).join(": ")))
        .collect()
}

/// Removes one, under its own lock; `None` when it has changed since it was found to be old.
async fn remove(
    context: &Context<'_>,
    fleet: &Fleet,
    terms: Terms<'_>,
    since: Option<Timestamp>,
) -> Run<Option<Vec<HostFailure>>> {
    let lock = lock::take(context, fleet, "previews --prune").await?;
    let environment = context.environment;
    let observed = observe(fleet, environment, terms, context.events).await?;
    if last_change(&observed.history.releases()) > since {
        return Ok(None);
    }
    let failures = removal::remove_everything(context, fleet, &observed, &[]).await?;
    drop(lock);
    removal::forget_lock(context, fleet, &failures).await;
    Ok(Some(failures))
}
