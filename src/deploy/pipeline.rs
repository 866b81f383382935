//! The phases of a deploy, in their order.

use std::sync::Arc;

use super::{
    credentials::{self, Credentials},
    last_checks::last_checks,
    one_offs,
    planning::{plan, trust},
    prune::prune,
    reach::reach,
    record,
    request::{DeployRequest, Trust},
    rollouts::{Deployment, announce_work, while_locked},
    up_to_date::up_to_date,
    wanted::{Wanted, wanted},
};
use crate::{
    balancers::BackendLists,
    event::{EventKind, Outcome, Phase},
    hooks::{HookRecipe, Hooks},
    hosts::{Fleet, Run, Stop},
    images,
    observe::{Observed, observe},
    plan::{Plan, RecipePlan},
    release::{self, RecordKey, Terms},
    run::Context,
    state::{Lock, lock},
};

/// Deploys or rolls back, between the hooks of its beginning and those of its end.
pub async fn deploy(context: &Context<'_>, request: DeployRequest) -> Run<Outcome> {
    let hooks = Hooks::new(context, request.goal.verb(), request.dry_run);
    let result = Box::pin(make_release(context, &request, &hooks)).await;
    hooks.ended(&result).await;
    result
}

async fn make_release(
    context: &Context<'_>,
    request: &DeployRequest,
    hooks: &Hooks<'_>,
) -> Run<Outcome> {
    let (fleet, prepared) = prepare(context, request, hooks).await?;
    let result = match prepared {
        Prepared::UpToDate => Ok(Outcome::NothingToDo),
        Prepared::Planned => Ok(Outcome::Done),
        Prepared::Ready(ready) => change(context, request, &fleet, *ready).await,
    };
    fleet.close().await;
    result
}

/// What there is to do once everything is known.
enum Prepared {
    /// Nothing.
    UpToDate,
    /// Nothing, as only the plan was asked for.
    Planned,
    /// This.
    Ready(Box<Ready>),
}

/// Everything that the changes need.
struct Ready {
    lock: Lock,
    observed: Observed,
    wanted: Wanted,
    plan: Plan,
    key: Option<RecordKey>,
}

/// What an interrupt says before any container was changed: it may come at any point.
const UNCHANGED: &str = "nothing was changed";

/// The phases that change no container.
async fn prepare(
    context: &Context<'_>,
    request: &DeployRequest,
    hooks: &Hooks<'_>,
) -> Run<(Fleet, Prepared)> {
    let beginning = context.interruptible(UNCHANGED, begin(context, request));
    let (fleet, begun) = beginning.await?;
    let is_locked = begun.lock.is_some();
    // Until what is on the hosts says otherwise.
    let mut is_new = true;
    let making_ready = Box::pin(async {
        let key = begun.credentials.key.as_ref();
        let strays = matches!(request.trust, Trust::Granted);
        let terms = Terms { key, strays };
        let observed = observe(&fleet, context.environment, terms, context.events).await?;
        is_new = observed.is_before_the_first_deploy();
        make_ready(context, request, hooks, &fleet, (begun, observed)).await
    });
    let made_ready = context.interruptible(UNCHANGED, making_ready).await;
    match made_ready {
        Ok(prepared) => Ok((fleet, prepared)),
        Err(stop) => {
            if is_locked && is_new && context.environment.preview.is_some() {
                // Nothing else is there by which it would be found again and removed.
                lock::forget(context, &fleet).await;
            }
            fleet.close().await;
            Err(stop)
        }
    }
}

/// What a run has from its beginning.
struct Begun<'a> {
    credentials: Credentials<'a>,
    /// None where only the plan is asked for.
    lock: Option<Lock>,
}

/// The phases up to the lock.
async fn begin<'a>(context: &'a Context<'_>, request: &DeployRequest) -> Run<(Fleet, Begun<'a>)> {
    let credentials = credentials::read(context, request).await?;
    let asking = context.with_consul(credentials.consul.clone());
    let fleet = reach(&asking, request).await?;
    let lock = if request.dry_run {
        None
    } else {
        Some(lock::take(context, &fleet, request.goal.verb()).await?)
    };
    Ok((fleet, Begun { credentials, lock }))
}

/// Those that follow when it is known what runs.
async fn make_ready(
    context: &Context<'_>,
    request: &DeployRequest,
    hooks: &Hooks<'_>,
    fleet: &Fleet,
    (begun, observed): (Begun<'_>, Observed),
) -> Run<Prepared> {
    let Begun { credentials, lock } = begun;
    let events = context.events;
    if lock.is_some() {
        one_offs::remove_left(context, fleet, &observed.facts).await?;
    }
    let wanted = wanted(context, request, fleet, &observed, &credentials).await?;
    let mut plan = plan(context, fleet, &observed, &wanted).await?;
    if plan.is_empty() {
        up_to_date(context, &observed, &wanted);
        return Ok(Prepared::UpToDate);
    }
    trust(context.environment, events, request, wanted.action, &plan).await?;
    let Some(lock) = lock else {
        return Ok(Prepared::Planned);
    };
    last_checks(context, fleet, &observed, &request.promotion, &mut plan).await?;
    hooks
        .starting(plan.release.to_string(), changed(&plan))
        .await?;
    announce_work(context, &plan);
    images::distribute(fleet, &mut plan, &credentials.logins, events).await?;
    let ready = Ready {
        lock,
        observed,
        wanted,
        plan,
        key: credentials.key,
    };
    Ok(Prepared::Ready(Box::new(ready)))
}

/// The recipes that a plan changes, for hooks.
fn changed(plan: &Plan) -> Vec<HookRecipe> {
    let of_recipe = |it: &RecipePlan| {
        let mut slots = it.changes();
        let incoming = slots.clone().find_map(|slot| slot.incoming.as_ref());
        let mut hosts: Vec<_> = slots
            .by_ref()
            .map(|slot| slot.host.to_string())
            .chain(it.tasks.iter().map(|task| task.host.to_string()))
            .collect();
        hosts.dedup();
        (!hosts.is_empty()).then(|| HookRecipe {
            name: it.recipe.to_string(),
            version: incoming.map(|it| release::version(&it.desired.spec.image)),
            hosts,
        })
    };
    plan.recipes.iter().filter_map(of_recipe).collect()
}

/// The phases that change what runs. An interrupt is theirs to handle.
async fn change(
    context: &Context<'_>,
    request: &DeployRequest,
    fleet: &Fleet,
    ready: Ready,
) -> Run<Outcome> {
    let Ready {
        mut lock,
        observed: Observed { facts, mut history },
        wanted,
        plan,
        key,
    } = ready;
    let key = key.as_ref();
    if let Some(reason) = lock.is_lost() {
        let message = "the lock was lost before anything was changed";
        return Err(Stop::new(Outcome::Locked, message).cause(reason));
    }
    let records = record::write_unfinished(context, fleet, &history, &wanted, &plan, key).await?;
    (context.log)(&plan.release.to_string());
    context.events.send(EventKind::Phase {
        phase: Phase::Deploy,
    });
    if let Some(rest) = history.usual_time(records.len()) {
        context.events.send(EventKind::Estimate { rest });
    }
    let lists = Arc::new(BackendLists::new(plan.active.clone()));
    let deployment = Deployment {
        context,
        lists: &lists,
        fleet,
        facts: &facts,
        plan: &plan,
        promotion: &request.promotion,
        action: wanted.action,
    };
    let rolling_out = Box::pin(deployment.carry_out());
    let (mut ended, lost) = while_locked(context, &mut lock, rolling_out).await;
    if let (Some(stop), Some(reason)) = (&mut ended.stop, lost) {
        deployment.ended_by_the_lost_lock(stop, reason);
    }
    if let Some(stop) = &ended.stop
        && stop.outcome == Outcome::Interrupted
    {
        one_offs::remove_own(context, fleet).await;
    }
    let records = record::write_finished(context, fleet, records, &ended, key).await;
    if ended.stop.is_none() {
        history.add(&records);
        prune(fleet, context.environment, &history, context.events).await;
    }
    drop(lock);
    for row in ended.rows {
        context.events.send(EventKind::HostState { row });
    }
    ended.stop.map_or(Ok(Outcome::Done), Err)
}
