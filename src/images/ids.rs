//! The ids under which hosts have their images: records keep them, and tell by them what comes from elsewhere later.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::present::is_planned;
use crate::{
    docker::{self, Image},
    hosts::{Fleet, HostError, Reached},
    model::HostName,
    plan::{DesiredState, Plan},
    release::{History, Record},
    text,
};

/// Writes into records the ids that the hosts have their images under. An image that was just delivered is the one that
/// was planned; another one is asked for by more than a tag, or its id stays unknown. So it does on a host that does not
/// answer: nothing but a later rollback would need it.
pub async fn note(fleet: &Fleet, plan: &Plan, records: &mut [Record]) {
    let delivered: BTreeSet<(&HostName, &str)> = plan
        .recipes
        .iter()
        .flat_map(|recipe| recipe.slots.iter().map(move |slot| (recipe, slot)))
        .filter(|(_, slot)| slot.incoming.as_ref().is_some_and(|it| !it.exists))
        .map(|(recipe, slot)| (&slot.host, &*recipe.recipe))
        .collect();
    let delivered = &delivered;
    let asked = records.iter_mut().map(async |record| {
        let Some(reached) = fleet.host(&record.host) else {
            return;
        };
        let found = match ask(reached, record).await {
            Ok(found) => found,
            Err(error) => {
                let error = text::chain(&error).join(": ");
                tracing::info!(host = %reached.name(), %error, "the ids of images are not known");
                return;
            }
        };
        for (name, recipe) in &mut record.recipes {
            let pin = &mut recipe.image;
            let names = [pin.reference.clone(), pin.stand_in()];
            let mut images = found.iter().filter(|it| names.contains(&it.reference));
            let was_delivered = delivered.contains(&(&record.host, name.as_str()));
            let image = images.find(|image| was_delivered || is_planned(image, pin));
            pin.id = pin.id.take().or(image.map(|image| image.id.clone()));
        }
    });
    join_all(asked).await;
}

async fn ask(reached: &Reached, record: &Record) -> Result<Vec<Image>, HostError> {
    let pins = record.recipes.values().map(|recipe| &recipe.image);
    let unknown = pins.filter(|pin| pin.id.is_none());
    let names: BTreeSet<_> = unknown
        .flat_map(|pin| [pin.reference.clone(), pin.stand_in()])
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let inspect = docker::inspect_images(&names);
    reached.read(inspect, docker::parse_images).await
}

/// Fills in the ids that earlier records of the same host have of the same images.
pub fn recall(desired: &mut DesiredState, history: &History) {
    for (host, wanted) in desired.values_mut().flatten() {
        let recorded = history.records_of(host);
        let images = recorded.flat_map(|record| record.recipes.values().map(|it| &it.image));
        let mut alike = images.filter(|image| image.digest == wanted.image.digest);
        wanted.image.id = alike.find_map(|image| image.id.clone());
    }
}
