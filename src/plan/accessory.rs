//! Accessories, such as databases: once they serve, they change only where somebody names them.

use std::collections::BTreeMap;

use super::{
    changes::{Change, Remark, SlotPlan},
    input::Desired,
    slot::{Slot, spec_label},
};
use crate::{
    docker::Container,
    release::{RecipeRecord, Record},
};

/// What comes of planning a slot.
pub(super) struct Planned {
    /// What happens; `None` where nothing runs and nothing is wanted.
    pub(super) slot: Option<SlotPlan>,
    /// What is in the way of that.
    pub(super) obstacles: Vec<Remark>,
    /// Whether it is an accessory that has changed and is left alone.
    pub(super) is_left_alone: bool,
}

/// Plans a slot; of an accessory that nobody has named the change is left out.
pub(super) fn plan(slot: &Slot<'_>, desired: Option<&Desired>) -> Planned {
    let mut obstacles = Vec::new();
    match slot.plan(desired, &mut obstacles) {
        Some(planned) if is_spared(slot, &planned) => {
            let mut obstacles = Vec::new();
            let as_it_was = start_as_it_was(slot, &mut obstacles);
            Planned {
                slot: Some(as_it_was.unwrap_or_else(|| left_alone(slot, planned))),
                obstacles,
                is_left_alone: true,
            }
        }
        planned => Planned {
            slot: planned,
            obstacles,
            is_left_alone: false,
        },
    }
}

/// Whether a change is one that an accessory is spared, as nobody has named it: the container would get other settings,
/// or go. One that never came to serve is no accessory yet.
fn is_spared(slot: &Slot<'_>, planned: &SlotPlan) -> bool {
    let Slot { input, recipe, .. } = slot;
    if !recipe.accessory || input.named.contains(&recipe.name) || !changes(slot, planned) {
        return false;
    }
    let has_served = |container: &&Container| {
        let hash = spec_label(container);
        let is_of = |record: &&Record| {
            let recorded = record.recipes.get(&*recipe.name);
            recorded.is_some_and(|recorded| recorded.hash == hash)
        };
        let records = input.history.records_of(slot.names.host);
        let records: Vec<_> = records.filter(is_of).collect();
        let is_unknown = records.is_empty() && container.state.running;
        is_unknown || records.iter().any(|record| record.succeeded())
    };
    slot.here().iter().any(has_served)
}

/// Whether another container serves in a slot afterwards than did before, or none.
fn changes(slot: &Slot<'_>, planned: &SlotPlan) -> bool {
    let incoming = planned.incoming.as_ref();
    let runs = incoming.is_some_and(|incoming| incoming.runs);
    match planned.change {
        Change::Keep | Change::Confirm | Change::Stop => false,
        Change::Create | Change::Remove => true,
        Change::Replace => !runs,
        // A rollback may start one that was kept from long ago.
        Change::Start => {
            let was = last(slot).map(|recorded| &*recorded.hash);
            !runs && was != incoming.map(|incoming| incoming.hash.as_str())
        }
    }
}

/// What the last release that succeeded has of the recipe.
fn last<'a>(slot: &Slot<'a>) -> Option<&'a RecipeRecord> {
    let mut records = slot.input.history.recent_successes(slot.names.host, 1);
    records.next()?.recipes.get(&*slot.recipe.name)
}

/// One that has stopped is started as the last release had it.
fn start_as_it_was(slot: &Slot<'_>, obstacles: &mut Vec<Remark>) -> Option<SlotPlan> {
    let mut here = slot.here().into_iter();
    if here.any(|container| container.state.running) {
        return None;
    }
    let recorded = last(slot)?;
    let desired = Desired {
        spec: recorded.spec.clone(),
        image: recorded.image.clone(),
        instances: recorded.instances,
        secrets: BTreeMap::new(),
        unread: Some(recorded.hash.clone()),
        stopped: None,
    };
    let planned = slot.plan(Some(&desired), obstacles)?;
    (planned.change == Change::Start).then_some(planned)
}

/// The slot of an accessory that is left alone, with what would be different.
fn left_alone(slot: &Slot<'_>, planned: SlotPlan) -> SlotPlan {
    let here = slot.here();
    let reason = match here.iter().find(|container| container.state.running) {
        Some(container) => format!("`{}` stays as it is", container.name),
        None => "it stays stopped".to_owned(),
    };
    SlotPlan {
        differences: planned.differences,
        ..slot.slot(Change::Keep, None, &[], reason)
    }
}
