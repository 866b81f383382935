//! A plan as events.

use super::diff::diff;
use crate::{
    event::{Difference, EventKind, Events, PlanAction, PlanRow, Setting},
    model::{Environment, Order},
    plan::{self, Change, Desired, ListPlan, Plan, RecipePlan, SlotPlan},
};

/// Sends the plan: what happens to each container, and each remark on it.
///
/// What a rollback starts is in records on hosts, and so is shown as a whole.
pub fn plan(plan: &Plan, environment: &Environment, is_rollback: bool, events: &Events) {
    let mut rows = Vec::new();
    for recipe in &plan.recipes {
        for slot in &recipe.slots {
            let container = slot.incoming.as_ref().map(|incoming| &incoming.name.active);
            let container = container
                .or(slot.outgoing.first().map(|name| &name.active))
                .cloned();
            rows.push(PlanRow {
                host: slot.host.to_string(),
                recipe: recipe.recipe.to_string(),
                action: action(slot.change),
                container,
                reason: slot.reason.clone(),
                differences: slot.differences.iter().map(difference).collect(),
                starts: if is_rollback {
                    starts(slot)
                } else {
                    Vec::new()
                },
                diff: Vec::new(),
                note: note(recipe, slot),
            });
        }
        for task in &recipe.tasks {
            let on = environment
                .recipe(&task.recipe)
                .and_then(|recipe| recipe.by_host.get(&task.host));
            let name = on
                .and_then(|on| on.commands.get(task.index))
                .map(|task| task.name.clone());
            rows.push(PlanRow {
                host: task.host.to_string(),
                recipe: task.recipe.to_string(),
                action: PlanAction::Run,
                container: None,
                reason: name.unwrap_or_default(),
                differences: Vec::new(),
                starts: Vec::new(),
                diff: Vec::new(),
                note: None,
            });
        }
        let lists = plan.lists.iter();
        rows.extend(
            lists
                .filter(|list| list.recipe == recipe.recipe)
                .map(written),
        );
    }
    // Those of balancers that the plan leaves alone.
    let is_planned = |list: &&ListPlan| plan.recipes.iter().any(|it| it.recipe == list.recipe);
    let others = plan.lists.iter().filter(|list| !is_planned(list));
    rows.extend(others.map(written));
    events.send(EventKind::Plan { rows });
    for warning in &plan.warnings {
        events.send(EventKind::Warning {
            host: warning.host.as_ref().map(ToString::to_string),
            message: warning.message.clone(),
            hint: warning.hint.clone(),
        });
    }
}

/// What else there is to know of a slot.
fn note(recipe: &RecipePlan, slot: &SlotPlan) -> Option<String> {
    let is_switched = recipe.order == Order::BlueGreen && slot.change == Change::Replace;
    if recipe.left_alone.contains(&slot.host) {
        Some("left alone, as nobody has named it".to_owned())
    } else {
        is_switched.then(|| "blue-green: requests go to all new ones at once".to_owned())
    }
}

/// A file with backends that is written.
fn written(list: &ListPlan) -> PlanRow {
    let reason = if list.is_drifted && list.old.is_some() {
        format!("{} is not as what runs wants it", list.to)
    } else {
        list.to.clone()
    };
    PlanRow {
        host: list.host.to_string(),
        recipe: list.recipe.to_string(),
        action: PlanAction::Write,
        container: None,
        reason,
        differences: Vec::new(),
        starts: Vec::new(),
        diff: diff(list.old.as_deref().unwrap_or_default(), &list.new),
        note: None,
    }
}

/// What a slot starts, field by field.
fn starts(slot: &SlotPlan) -> Vec<Setting> {
    let incoming = slot.incoming.as_ref();
    let Some(incoming) = incoming.filter(|_| slot.change != Change::Keep) else {
        return Vec::new();
    };
    let Desired { spec, image, .. } = &incoming.desired;
    let settings = plan::settings(spec, image).into_iter();
    settings
        .map(|(field, value)| Setting { field, value })
        .collect()
}

fn action(change: Change) -> PlanAction {
    match change {
        Change::Keep => PlanAction::Keep,
        Change::Create => PlanAction::Create,
        Change::Replace => PlanAction::Replace,
        Change::Start => PlanAction::Start,
        Change::Confirm => PlanAction::Confirm,
        Change::Remove => PlanAction::Remove,
        Change::Stop => PlanAction::Stop,
    }
}

fn difference(difference: &plan::Difference) -> Difference {
    let plan::Difference { field, old, new } = difference.clone();
    Difference { field, old, new }
}
