//! Every host gets the images that it is about to start containers from.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use super::{
    delivery::{AT_ONCE, Delivery, DeliveryError, FailedDelivery, is_disk_full},
    from_another_host,
    logins::Logins,
    present::{have, is_for, is_planned, pull},
    transfer::Sender,
    wanted::Wanted,
};
use crate::{
    docker::{self, PinnedImage},
    event::{EventKind, Events, Outcome, Phase},
    hosts::{Fleet, Run, Stop, preflight},
    model::{HostName, ImageSource},
    plan::{Plan, RecipePlan},
    text,
};

/// Delivers every image of the plan to every host that starts it, and writes into the plan the name that the image
/// has there. When one host does not get its images, nothing is changed on any.
///
/// An image that its source does not give comes from another host that has it. The hosts are asked only after all
/// have tried their sources, as one may have been given what another was refused.
pub async fn distribute(
    fleet: &Fleet,
    plan: &mut Plan,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<()> {
    events.send(EventKind::Phase { phase: Phase::Pull });
    let sender = Sender::default();
    let deliver = |deliveries| deliver_all(deliveries, &sender, logins, events);
    let results: Vec<_> = stream::iter(deliveries(fleet, plan).map(deliver))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (mut undelivered, mut failures) = (Vec::new(), Vec::new());
    for (delivery, result) in results.into_iter().flatten() {
        let host = delivery.reached.name().clone();
        match result {
            Ok(reference) => start_from(plan, &host, &delivery.pin, &reference),
            Err(error @ DeliveryError::Host(_)) => failures.push(FailedDelivery {
                host,
                error,
                elsewhere: None,
            }),
            Err(error) => undelivered.push((delivery, error)),
        }
    }
    for (delivery, result) in from_another_host::deliver(fleet, undelivered, &sender, events).await
    {
        match result {
            Ok(reference) => start_from(plan, delivery.reached.name(), &delivery.pin, &reference),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(undelivered_images(failures))
    }
}

/// The images that each host must have before it starts its containers.
pub fn needed(plan: &Plan) -> BTreeMap<HostName, BTreeSet<(Wanted, PinnedImage)>> {
    let mut needed = BTreeMap::<HostName, BTreeSet<_>>::new();
    for slot in plan.recipes.iter().flat_map(RecipePlan::changes) {
        let Some(incoming) = slot.incoming.as_ref().filter(|incoming| !incoming.exists) else {
            continue;
        };
        let (spec, image) = (&incoming.desired.spec, &incoming.desired.image);
        needed
            .entry(slot.host.clone())
            .or_default()
            .insert((Wanted::of(spec), image.clone()));
    }
    needed
}

/// What is to be delivered, host by host.
fn deliveries(fleet: &Fleet, plan: &Plan) -> impl Iterator<Item = Vec<Delivery>> + use<> {
    let fleet = fleet.clone();
    needed(plan).into_iter().filter_map(move |(host, images)| {
        let reached = fleet.host(&host)?;
        let delivery = |(wanted, pin)| Delivery {
            reached: reached.clone(),
            wanted,
            pin,
        };
        Some(images.into_iter().map(delivery).collect())
    })
}

/// Delivers to one host, one image after the other.
async fn deliver_all(
    deliveries: Vec<Delivery>,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Vec<(Delivery, Result<String, DeliveryError>)> {
    let mut results = Vec::new();
    for delivery in deliveries {
        let result = deliver(&delivery, sender, logins, events).await;
        let is_host_lost = matches!(&result, Err(DeliveryError::Host(_)));
        results.push((delivery, result));
        if is_host_lost {
            break;
        }
    }
    results
}

/// Delivers one image from its source, unless the host has it. Returns the reference that it has there.
async fn deliver(
    delivery: &Delivery,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Result<String, DeliveryError> {
    let Delivery {
        reached,
        wanted,
        pin,
    } = delivery;
    let platform = wanted.platform.as_deref();
    if let Some(image) = have(reached, pin).await?
        && is_planned(&image, pin)
        && is_for(reached, &image, platform).await?
    {
        return Ok(image.reference);
    }
    match wanted.source {
        ImageSource::Registry => {
            let reference = &pin.reference;
            let command = logins.for_registry_of(reference, docker::pull(reference, platform));
            let pulled = pull(reached, reference, command.await?, events).await;
            pulled.map_err(|error| {
                if error.is_unreachable() || is_disk_full(&error) {
                    DeliveryError::Host(error)
                } else {
                    DeliveryError::Source(error)
                }
            })?;
        }
        ImageSource::Local => sender.send(reached, &wanted.reference, pin, events).await?,
    }
    Ok(pin.reference.clone())
}

/// Has a host start an image by this reference. The digest stays, and with it the hash of the spec and the record
/// of the release. So the next deploy finds nothing to do, and a host that pulls the image later asks the registry
/// for what the registry knows.
pub fn start_from(plan: &mut Plan, host: &HostName, pin: &PinnedImage, reference: &str) {
    let slots = plan
        .recipes
        .iter_mut()
        .flat_map(|recipe| &mut recipe.slots)
        .filter(|slot| slot.host == *host);
    for incoming in slots.filter_map(|slot| slot.incoming.as_mut()) {
        let image = &mut incoming.desired.image;
        if image == pin {
            reference.clone_into(&mut image.reference);
        }
    }
}

/// The error of a run in which some host did not get an image.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
pub fn undelivered_images(failures: Vec<FailedDelivery>) -> Box<Stop> {
    let hosts: BTreeSet<_> = failures.iter().map(|failure| &failure.host).collect();
    let message = format!(
        "the images did not reach {}; nothing was changed on any host",
        text::list(hosts)
    );
    let no_password =
        |failure: &FailedDelivery| matches!(failure.error, DeliveryError::Password(_));
    let outcome = if failures.iter().all(no_password) {
        Outcome::Usage
    } else {
        Outcome::NotReady
    };
    let (mut errors, mut hints, mut searches) = (Vec::new(), Vec::new(), BTreeSet::new());
    for FailedDelivery {
        host,
        error,
        elsewhere,
    } in failures
    {
        searches.extend(elsewhere);
        let (error, hint) = match error {
            DeliveryError::Password(error) => (error.clone().into(), error.hint),
            // A disk that is full here is this machine's, so there is no hint for the host.
            DeliveryError::Source(error) => (error, None),
            DeliveryError::Host(error) => {
                let hint = is_disk_full(&error).then(|| preflight::free_space(&host));
                (error, hint)
            }
        };
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
        errors.push((host, error));
    }
    hints.push(
        "fix the cause and run the same command again; images that arrived are not sent again"
            .to_owned(),
    );
    let mut stop = Stop::on_hosts(outcome, message, &errors);
    stop.report.causes.extend(searches);
    stop.hint(hints.join("\n"))
}
