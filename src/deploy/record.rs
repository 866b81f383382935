//! Phases: record a release as unfinished before the first change, and how it ended after the last.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{rollouts::DeploymentResult, wanted::Wanted};
use crate::{
    desired::{self, Hashes, Places},
    event::{EventKind, HostRow, Outcome, Phase},
    hosts::{Fleet, Run, Stop},
    images,
    model::HostName,
    plan::{Plan, RecipePlan},
    release::{self, Action, History, Notes, Number, Outcome as RecordOutcome, Record, RecordKey},
    run::Context,
    state, text,
};

/// Writes the records of a release that is about to begin. When one cannot be written, nothing begins.
pub async fn write_unfinished(
    context: &Context<'_>,
    fleet: &Fleet,
    history: &History,
    wanted: &Wanted,
    plan: &Plan,
    key: Option<&RecordKey>,
) -> Run<Vec<Record>> {
    let environment = context.environment;
    let template = new_record(context, plan.release, wanted.action);
    let hashes = hashes(plan);
    let mut records = desired::records(
        environment,
        &template,
        &wanted.scope,
        &wanted.desired,
        history,
        (&hashes, &left_alone(plan)),
    );
    images::note_ids(fleet, plan, &mut records).await;
    let state = state::open(environment, fleet);
    // A host that was made anew gets back what is known of it; what it keeps itself counts from then on.
    let copies = history.copies().cloned();
    let written: Vec<_> = copies.chain(records.iter().cloned()).collect();
    let failures = state.write_records(&written, key).await;
    if failures.is_empty() {
        return Ok(records);
    }
    let message = format!(
        "cannot write the record of {}; nothing was changed on any host",
        plan.release
    );
    Err(Stop::on_hosts(Outcome::NotReady, message, &failures))
}

/// Writes how the release ended, and why. Returns the finished records. One that cannot be written is
/// a warning, as the changes are made by now.
pub async fn write_finished(
    context: &Context<'_>,
    fleet: &Fleet,
    mut records: Vec<Record>,
    ended: &DeploymentResult,
    key: Option<&RecordKey>,
) -> Vec<Record> {
    context.events.send(EventKind::Phase {
        phase: Phase::Record,
    });
    let stop = ended.stop.as_deref();
    let failure = stop.and_then(|stop| failure(context, stop));
    let outcome = match stop.map(|stop| stop.outcome) {
        None => RecordOutcome::Succeeded,
        Some(Outcome::Reverted) => RecordOutcome::Reverted,
        Some(Outcome::Interrupted) => RecordOutcome::Interrupted,
        Some(_) => RecordOutcome::Failed,
    };
    for record in &mut records {
        record.outcome = outcome;
        record.finished = Some(Timestamp::now());
        record.notes.failure.clone_from(&failure);
        record.notes.states = states(&ended.rows, &record.host);
    }
    let state = state::open(context.environment, fleet);
    for (host, error) in state.write_records(&records, key).await {
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
    records
}

/// Why the release failed, as its records keep it. They lie on hosts, where no secret may be read.
fn failure(context: &Context<'_>, stop: &Stop) -> Option<String> {
    let lines = [&stop.report.message]
        .into_iter()
        .chain(&stop.report.causes);
    let masked: Vec<_> = lines.map(|line| (context.masked)(line)).collect();
    release::failure(masked.iter().map(String::as_str))
}

/// What a host has of each changed recipe now. Where its equal containers differ, each is told.
fn states(rows: &[HostRow], host: &HostName) -> BTreeMap<String, String> {
    let mut states = BTreeMap::<String, Vec<String>>::new();
    for row in rows.iter().filter(|row| row.host == **host) {
        let Some(recipe) = &row.recipe else { continue };
        let of_recipe = states.entry(recipe.clone()).or_default();
        if !of_recipe.contains(&row.state) {
            of_recipe.push(row.state.clone());
        }
    }
    let joined = states.into_iter();
    joined
        .map(|(recipe, states)| (recipe, states.join(", ")))
        .collect()
}

/// What all records of a release have in common, before anything is known of its end.
pub fn new_record(context: &Context<'_>, number: Number, action: Action) -> Record {
    let preview = context.environment.preview.as_ref();
    Record {
        number,
        environment: context.environment.name.to_string(),
        preview_of: preview.map(|preview| preview.base.to_string()),
        host: "".into(),
        action,
        by: context.by.clone(),
        started: Timestamp::now(),
        finished: None,
        revision: context.revision.clone(),
        outcome: RecordOutcome::Unfinished,
        recipes: BTreeMap::new(),
        notes: Notes {
            message: message(context),
            ..Notes::default()
        },
    }
}

/// What the release is for, without what nobody may read on a host. It is masked before it is cut: half a secret would
/// not be found.
fn message(context: &Context<'_>) -> Option<String> {
    let message = context.message.as_deref()?;
    release::message(&(context.masked)(message))
}

/// Where accessories are left as they are.
fn left_alone(plan: &Plan) -> Places {
    let of_recipe = |it: &RecipePlan| {
        let place = |host: &HostName| (it.recipe.clone(), host.clone());
        it.left_alone.iter().map(place).collect::<Vec<_>>()
    };
    plan.recipes.iter().flat_map(of_recipe).collect()
}

/// The hashes of the specs that the plan starts.
pub fn hashes(plan: &Plan) -> Hashes {
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
