//! A deploy or a rollback from beginning to end, in one order: nothing is changed anywhere before
//! every host has passed preflight and every image is there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    prune,
    rollouts::{Ended, Rollouts},
    show,
};
use crate::{
    desired::{self, Hashes},
    event::{EventKind, Outcome, Phase},
    hosts::{Fleet, Run, Stop, preflight},
    images,
    model::{Environment, Host, HostName},
    observe::{Observed, done_tasks, observe},
    plan::{self, DesiredState, Plan, Scope},
    release::{Action, History, Number, Outcome as RecordOutcome, Record},
    rollout::{driver::Promotion, quorum},
    run::Context,
    secrets::Secrets,
    state::{self, Lock, lock},
    text,
};

/// What is asked for.
pub struct DeployRequest {
    /// What it may change.
    pub scope: Scope,
    /// To which state.
    pub goal: Goal,
    /// Only say what would change.
    pub dry_run: bool,
    /// How a canary's question is answered.
    pub promotion: Promotion,
}

/// To which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// What the files say.
    Files,
    /// What an earlier release had; the previous one when no number is given.
    Release(Option<Number>),
}

impl Goal {
    fn verb(self) -> &'static str {
        match self {
            Self::Files => "deploy",
            Self::Release(_) => "rollback",
        }
    }
}

/// Deploys or rolls back.
pub async fn deploy(context: &Context<'_>, mut request: DeployRequest) -> Run<Outcome> {
    let mut secrets = Secrets::new(context.root, context.mask);
    let prepared = context
        .interruptible(
            "nothing was changed",
            prepare(context, &mut request, &mut secrets),
        )
        .await;
    let (fleet, prepared) = prepared?;
    let result = match prepared {
        Prepared::NothingToDo => Ok(Outcome::NothingToDo),
        Prepared::Planned => Ok(Outcome::Done),
        Prepared::Ready(ready) => carry_out(context, &request, &fleet, *ready).await,
    };
    fleet.close().await;
    result
}

enum Prepared {
    NothingToDo,
    Planned,
    Ready(Box<Ready>),
}

/// Everything that is known when changing begins.
struct Ready {
    lock: Lock,
    observed: Observed,
    plan: Plan,
    desired: DesiredState,
    action: Action,
}

/// Everything up to the point where something is changed.
async fn prepare(
    context: &Context<'_>,
    request: &mut DeployRequest,
    secrets: &mut Secrets<'_>,
) -> Run<(Fleet, Prepared)> {
    let environment = context.environment;
    let logins = images::Logins::new(&environment.registries, secrets.clone());
    if request.goal == Goal::Files {
        desired::read_secrets(environment, &request.scope, secrets).await?;
        let images = desired::wanted_images(environment, &request.scope);
        logins.read_for(images.keys()).await?;
    }
    let needed = hosts_needed(context, &request.scope);
    let hosts = hosts_to_reach(environment, &request.scope, request.goal, &needed);
    let fleet = context
        .connect_to(&hosts, |host| needed.contains(host))
        .await?;
    let fleet = preflight::fit(&fleet, |host| needed.contains(host), context.events).await?;
    let lock = if request.dry_run {
        None
    } else {
        Some(lock::take(context, &fleet, request.goal.verb()).await?)
    };
    let observed = observe(&fleet, environment, context.events).await?;
    let (desired, action) = wanted(
        context,
        request,
        &fleet,
        &observed.history,
        secrets,
        &logins,
    )
    .await?;
    context.events.send(EventKind::Phase { phase: Phase::Plan });
    let done = done_tasks(&fleet, environment, &request.scope).await?;
    let release = observed.history.next_number();
    let mut plan = plan::build(&plan::Input {
        environment,
        facts: &observed.facts,
        history: &observed.history,
        desired: &desired,
        scope: &request.scope,
        release,
        prefer_kept: matches!(request.goal, Goal::Release(_)),
        done_tasks: &done,
        new_key: &format!("{release}-{}", Timestamp::now().as_nanosecond()),
    });
    if !plan.is_empty() {
        context.events.send(EventKind::Release {
            release: release.to_string(),
            description: describe(action, release),
        });
    }
    show::plan(&plan, environment, context.events);
    if let Some(obstacle) = plan.obstacles.first() {
        let mut stop = Stop::not_ready("this cannot be deployed; nothing was changed on any host");
        stop.report.causes = plan
            .obstacles
            .iter()
            .map(|obstacle| match &obstacle.host {
                Some(host) => format!("`{host}`: {}", obstacle.message),
                None => obstacle.message.clone(),
            })
            .collect();
        stop.report.hint.clone_from(&obstacle.hint);
        return Err(stop);
    }
    if plan.is_empty() {
        // Only who has looked at everything can say that nothing was left to do.
        if lock.is_some() && request.goal == Goal::Files && request.scope == Scope::default() {
            finish_a_cut_off_release(context, &fleet, request, &observed, &desired, &plan).await;
        }
        if let Action::RollbackTo(target) = action {
            tell_that_it_runs(context, &observed.history, target);
        }
        return Ok((fleet, Prepared::NothingToDo));
    }
    let Some(lock) = lock else {
        return Ok((fleet, Prepared::Planned));
    };
    quorum::consul_is_ready(environment, &fleet, &observed.facts, &plan).await?;
    quorum::leader_last(environment, &fleet, &mut plan).await;
    promotion_can_be_answered(environment, &plan, &request.promotion)?;
    images::distribute(&fleet, &mut plan, &logins, context.events).await?;
    Ok((
        fleet,
        Prepared::Ready(Box::new(Ready {
            lock,
            observed,
            plan,
            desired,
            action,
        })),
    ))
}

/// Whoever rolls back expects something else to run afterwards; when that runs already, it says why, and how
/// to go further back.
fn tell_that_it_runs(context: &Context<'_>, history: &History, target: Number) {
    let earlier = history.succeeded_before(target);
    let newest = history
        .releases()
        .pop()
        .filter(|newest| newest.number > target);
    let because = newest.map(|newest| {
        let (number, ended) = (newest.number, desired::describe(newest.outcome));
        format!(", as {number} {ended}")
    });
    context.events.send(EventKind::Warning {
        host: None,
        message: format!(
            "{target} is what runs already{}",
            because.unwrap_or_default()
        ),
        hint: earlier.map(|earlier| {
            let environment = &context.environment.name;
            format!("`shipit rollback {environment} --to {earlier}` goes further back")
        }),
    });
}

/// A deploy that was cut off after its last change and before its record is a release all the same: when
/// everything runs as it wanted, it is recorded as such, so that a rollback finds it.
async fn finish_a_cut_off_release(
    context: &Context<'_>,
    fleet: &Fleet,
    request: &DeployRequest,
    observed: &Observed,
    desired: &DesiredState,
    plan: &Plan,
) {
    let releases = observed.history.releases();
    let Some(newest) = releases
        .last()
        .filter(|release| release.outcome == RecordOutcome::Unfinished)
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
        outcome: RecordOutcome::Succeeded,
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
        &request.scope,
        desired,
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

fn new_record(context: &Context<'_>, number: Number, action: Action) -> Record {
    Record {
        number,
        environment: context.environment.name.to_string(),
        host: "".into(),
        action,
        by: context.by.clone(),
        started: Timestamp::now(),
        finished: None,
        revision: context.revision.clone(),
        outcome: RecordOutcome::Unfinished,
        recipes: BTreeMap::new(),
    }
}

/// The hosts of the scope, the lock's, and those of every balancer that a rollout has to ask.
fn hosts_needed(context: &Context<'_>, scope: &Scope) -> BTreeSet<HostName> {
    let environment = context.environment;
    let balancers: BTreeSet<&HostName> = environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
        .flat_map(|recipe| recipe.drain.iter().flat_map(|drain| &drain.balancers))
        .filter_map(|name| environment.recipe(name))
        .flat_map(|recipe| &recipe.hosts)
        .collect();
    let probed_through: BTreeSet<&HostName> = environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
        .filter_map(|recipe| recipe.probe.as_ref()?.through.as_ref())
        .collect();
    let wanted = |host: &&Host| {
        scope.has_host(&host.name)
            || host.name == environment.lock_host().name
            || balancers.contains(&host.name)
            || probed_through.contains(&host.name)
    };
    let wanted = environment.hosts.iter().filter(wanted);
    wanted.map(|host| host.name.clone()).collect()
}

/// The hosts that are needed, and those that help where they answer: for a rollback the one after each of the
/// scope, which keeps copies of its records, as a reinstalled host has none of its own; and Consul's servers,
/// which are counted before one of them goes.
fn hosts_to_reach<'e>(
    environment: &'e Environment,
    scope: &Scope,
    goal: Goal,
    needed: &BTreeSet<HostName>,
) -> Vec<&'e Host> {
    let hosts = &environment.hosts;
    let before = |at: usize| &hosts[(at + hosts.len() - 1) % hosts.len()].name;
    let keeps_copies = |at: usize| matches!(goal, Goal::Release(_)) && scope.has_host(before(at));
    let is_server = |host: &HostName| {
        let mut recipes = environment.recipes.iter();
        recipes.any(|recipe| {
            recipe.is_consul() && scope.has_recipe(&recipe.name) && recipe.hosts.contains(host)
        })
    };
    let wanted = |(at, host): &(usize, &Host)| {
        needed.contains(&host.name) || keeps_copies(*at) || is_server(&host.name)
    };
    let wanted = hosts.iter().enumerate().filter(wanted);
    wanted.map(|(_, host)| host).collect()
}

async fn wanted(
    context: &Context<'_>,
    request: &mut DeployRequest,
    fleet: &Fleet,
    history: &History,
    secrets: &mut Secrets<'_>,
    logins: &images::Logins<'_>,
) -> Run<(DesiredState, Action)> {
    let environment = context.environment;
    match request.goal {
        Goal::Files => {
            let lookup = if request.dry_run {
                images::Lookup::Ask
            } else {
                images::Lookup::Pull
            };
            let users = desired::wanted_images(environment, &request.scope);
            let pins = images::resolve(fleet, &users, lookup, logins, context.events).await?;
            let state = desired::from_files(environment, &request.scope, &pins, secrets).await?;
            Ok((state, Action::Deploy))
        }
        Goal::Release(to) => {
            let target = desired::rollback_target(environment, history, to)?;
            let (state, scope) =
                desired::from_records(context, &request.scope, history, target, secrets).await?;
            request.scope = scope;
            Ok((state, Action::RollbackTo(target)))
        }
    }
}

fn describe(action: Action, release: Number) -> String {
    match action {
        Action::Deploy => String::new(),
        Action::RollbackTo(target) => format!("{release} = {target} again"),
    }
}

/// Canaries that someone must promote need someone to ask: said before anything is changed.
fn promotion_can_be_answered(
    environment: &Environment,
    plan: &Plan,
    promotion: &Promotion,
) -> Run<()> {
    let asks = |recipe_plan: &&plan::RecipePlan| {
        let rollout = environment
            .recipe(&recipe_plan.recipe)
            .map(|recipe| &recipe.rollout);
        // As the rollout counts: a first deploy has no canaries.
        let is_first = recipe_plan.changes().all(|slot| slot.outgoing.is_empty());
        let slots = recipe_plan.changes().count();
        rollout.is_some_and(|rollout| {
            let canaries = usize::from(rollout.canary);
            !rollout.auto_promote && !is_first && canaries > 0 && canaries < slots
        })
    };
    match plan.recipes.iter().find(asks) {
        Some(recipe_plan) if matches!(promotion, Promotion::Nobody) => Err(Stop::new(
            Outcome::Usage,
            format!("the canaries of `{}` need a promotion, and nobody can be asked here; nothing was changed", recipe_plan.recipe),
        )
        .hint("give `--promote`, or set `auto_promote = true`")),
        _ => Ok(()),
    }
}

/// Changes what the plan says, and records it.
async fn carry_out(
    context: &Context<'_>,
    request: &DeployRequest,
    fleet: &Fleet,
    ready: Ready,
) -> Run<Outcome> {
    let Ready {
        mut lock,
        observed,
        plan,
        desired,
        action,
    } = ready;
    let environment = context.environment;
    if let Some(reason) = lock.is_lost() {
        return Err(Stop::new(
            Outcome::Locked,
            "the lock was lost before anything was changed",
        )
        .cause(reason));
    }
    let template = new_record(context, plan.release, action);
    let mut records = desired::records(
        environment,
        &template,
        &request.scope,
        &desired,
        &observed.history,
        &hashes(&plan),
    );
    let failures = state::open(environment, fleet)
        .write_records(&records)
        .await;
    if !failures.is_empty() {
        let message = format!(
            "cannot write the record of {}; nothing was changed on any host",
            plan.release
        );
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    (context.log)(&plan.release.to_string());
    context.events.send(EventKind::Phase {
        phase: Phase::Deploy,
    });
    let rollouts = Rollouts {
        context,
        fleet,
        facts: &observed.facts,
        plan: &plan,
        promotion: &request.promotion,
        action,
    };
    let losing = async {
        let reason = lock.lost().await;
        let message = format!("{reason}; the hosts in hand are finished, no other is started");
        context.events.send(EventKind::Warning {
            host: None,
            message,
            hint: None,
        });
        if !context.interrupts.happened() {
            context.interrupts.raise();
        }
        std::future::pending::<()>().await;
    };
    let ended: Ended = tokio::select! {
        ended = rollouts.carry_out() => ended,
        () = losing => unreachable!("it never ends"),
    };
    finish(context, fleet, &observed, &mut records, &ended).await;
    drop(lock);
    for row in &ended.rows {
        context
            .events
            .send(EventKind::HostState { row: row.clone() });
    }
    match ended.stop {
        None => Ok(Outcome::Done),
        Some(stop) => Err(stop),
    }
}

fn hashes(plan: &Plan) -> Hashes {
    let slots = plan
        .recipes
        .iter()
        .flat_map(|recipe| recipe.slots.iter().map(move |slot| (&recipe.recipe, slot)));
    slots
        .filter_map(|(recipe, slot)| {
            let incoming = slot.incoming.as_ref()?;
            Some((
                (recipe.clone(), slot.host.clone()),
                incoming.hash.as_str().to_owned(),
            ))
        })
        .collect()
}

/// Writes how it ended, and tidies up after a success.
async fn finish(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    records: &mut [Record],
    ended: &Ended,
) {
    context.events.send(EventKind::Phase {
        phase: Phase::Record,
    });
    let outcome = match ended.stop.as_ref().map(|stop| stop.outcome) {
        None => RecordOutcome::Succeeded,
        Some(Outcome::Reverted) => RecordOutcome::Reverted,
        Some(Outcome::Interrupted) => RecordOutcome::Interrupted,
        Some(_) => RecordOutcome::Failed,
    };
    for record in records.iter_mut() {
        record.outcome = outcome;
        record.finished = Some(Timestamp::now());
    }
    for (host, error) in state::open(context.environment, fleet)
        .write_records(records)
        .await
    {
        let message = format!(
            "the record could not be written: {}",
            text::chain(&error).join(": ")
        );
        context.events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message,
            hint: None,
        });
    }
    if outcome == RecordOutcome::Succeeded {
        let mut history = observed.history.clone();
        history.add(records);
        let environment = context.environment;
        prune::prune(fleet, environment, &history, context.events).await;
    }
}
