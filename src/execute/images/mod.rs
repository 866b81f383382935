//! Images: which exact one a reference means now, and how it comes to every host before anything changes.

mod logins;
mod pins;
mod send;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt, stream};

pub use logins::Logins;
pub use pins::{Lookup, Pins, Wanted, resolve};
use send::Sender;

use super::{
    fleet::{Fleet, HostError, Reached},
    preflight, step,
    stop::{Run, Stop},
};
use crate::{
    docker::{self, Image, PinnedImage},
    event::{EventKind, Events, Outcome, Phase},
    model::{HostName, ImageSource},
    plan::{Plan, RecipePlan},
    text,
};

/// The longest that a pull may take.
const PULL: Duration = Duration::from_secs(30 * 60);

/// How many hosts pull at once: they share a registry.
const PULLING: usize = 16;

async fn inspect(reached: &Reached, reference: &str) -> Result<Option<Image>, HostError> {
    let images = reached
        .read(docker::inspect_images(&[reference]), docker::parse_images)
        .await?;
    Ok(images.into_iter().next())
}

async fn pull(
    reached: &Reached,
    reference: &str,
    logins: &Logins<'_>,
    events: &Events,
) -> Result<(), HostError> {
    let command = docker::pull(reference);
    let work = reached.expect(logins.for_registry_of(reference, command).await?, PULL);
    let step = format!("pull {reference}");
    step::tell(events, reached.name(), None, &step, work, |_| None)
        .await
        .map(|_| ())
}

/// Brings every image that the plan starts to every host that starts it. When one host cannot have its
/// images, nothing is changed on any.
pub async fn distribute(
    fleet: &Fleet,
    plan: &Plan,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<()> {
    events.send(EventKind::Phase { phase: Phase::Pull });
    let mut needed = BTreeMap::<HostName, BTreeSet<(ImageSource, String, PinnedImage)>>::new();
    for slot in plan.recipes.iter().flat_map(RecipePlan::changes) {
        let Some(incoming) = slot.incoming.as_ref().filter(|incoming| !incoming.exists) else {
            continue;
        };
        let (spec, image) = (&incoming.desired.spec, &incoming.desired.image);
        needed.entry(slot.host.clone()).or_default().insert((
            spec.source,
            spec.image.clone(),
            image.clone(),
        ));
    }
    let sender = Sender::default();
    let work = needed
        .iter()
        .filter_map(|(host, images)| Some((fleet.host(host)?, images)));
    let bring = |(reached, images): (&Reached, &BTreeSet<(ImageSource, String, PinnedImage)>)| {
        let (reached, images, sender) = (reached.clone(), images.clone(), &sender);
        async move {
            for (source, written, pin) in images {
                let brought =
                    bring_one(&reached, source, &written, &pin, sender, logins, events).await;
                brought.map_err(|error| (reached.name().clone(), error))?;
            }
            Ok::<_, (HostName, HostError)>(())
        }
    };
    let results: Vec<_> = stream::iter(work.map(bring))
        .buffer_unordered(PULLING)
        .collect()
        .await;
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let message = format!("the images did not reach {names}; nothing was changed on any host");
    let is_full = |(_, error): &&(HostName, HostError)| {
        let said = text::chain(error).join(": ").to_lowercase();
        said.contains("no space left on device")
    };
    let mut hints: Vec<_> = failures
        .iter()
        .filter(is_full)
        .map(|(host, _)| preflight::free_space(host))
        .collect();
    hints.push("the images that did arrive are not sent again: run the same command once the cause is mended".to_owned());
    Err(Stop::on_hosts(Outcome::NotReady, message, &failures).hint(hints.join("\n")))
}

async fn bring_one(
    reached: &Reached,
    source: ImageSource,
    written: &str,
    pin: &PinnedImage,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Result<(), HostError> {
    if inspect(reached, &pin.reference).await?.is_some() {
        return Ok(());
    }
    match source {
        ImageSource::Registry => pull(reached, &pin.reference, logins, events).await,
        ImageSource::Local => sender.send(reached, written, pin, events).await,
    }
}
