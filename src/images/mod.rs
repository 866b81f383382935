//! Images: which exact one a reference means now, and how it comes to every host before anything changes.

mod from_another_host;
mod logins;
mod pins;
#[cfg(test)]
mod tests;
mod transfer;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt, stream};

pub use logins::Logins;
use logins::NoPassword;
pub use pins::{Lookup, Pins, Wanted, resolve};
use transfer::send::Sender;

use crate::hosts::{Fleet, HostError, Reached, Run, Stop, preflight, progress};
use crate::{
    command::RemoteCommand,
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

/// An image that a host is to start, and has to have before.
#[derive(Clone)]
struct Need {
    reached: Reached,
    source: ImageSource,
    written: String,
    pin: PinnedImage,
}

/// Why an image did not come to a host.
#[derive(Debug, thiserror::Error)]
enum Hindrance {
    /// It is not to be had from where it comes from. Another host may have it.
    #[error(transparent)]
    Source(HostError),
    /// The same, as nobody knows the password for it.
    #[error(transparent)]
    Password(#[from] NoPassword),
    /// The host takes it from nobody.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// A host that does not have an image, and why.
struct Failure {
    host: HostName,
    why: Hindrance,
    /// What came of looking for it on the other hosts.
    elsewhere: Option<String>,
}

async fn inspect(reached: &Reached, reference: &str) -> Result<Option<Image>, HostError> {
    let images = reached
        .read(docker::inspect_images(&[reference]), docker::parse_images)
        .await?;
    Ok(images.into_iter().next())
}

/// A pinned image as a host has it: from its registry, or under the tag that stands in for that.
async fn have(reached: &Reached, pin: &PinnedImage) -> Result<Option<Image>, HostError> {
    let stand_in = pin.stand_in();
    let command = docker::inspect_images(&[&pin.reference, &stand_in]);
    let images = reached.read(command, docker::parse_images).await?;
    Ok(images.into_iter().next())
}

/// Runs a [`docker::pull`] of `reference`.
async fn pull(
    reached: &Reached,
    reference: &str,
    command: RemoteCommand,
    events: &Events,
) -> Result<(), HostError> {
    let work = reached.expect(command, PULL);
    let step = format!("pull {reference}");
    progress::step(events, reached.name(), None, &step, work, |_| None)
        .await
        .map(|_| ())
}

/// Brings every image that the plan starts to every host that starts it, and has the plan start it by the
/// name that it has there. When one host cannot have its images, nothing is changed on any.
///
/// An image that its source does not give comes from another host that has it. They are asked when all have
/// tried by themselves, as one may have been given what another was refused.
pub async fn distribute(
    fleet: &Fleet,
    plan: &mut Plan,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<()> {
    events.send(EventKind::Phase { phase: Phase::Pull });
    let sender = Sender::default();
    let bring = |needs| bring_all(needs, &sender, logins, events);
    let results: Vec<_> = stream::iter(needs(fleet, plan).map(bring))
        .buffer_unordered(PULLING)
        .collect()
        .await;
    let (mut lacking, mut failures) = (Vec::new(), Vec::new());
    for (need, result) in results.into_iter().flatten() {
        let host = need.reached.name().clone();
        match result {
            Ok(reference) => start_by(plan, &host, &need.pin, &reference),
            Err(why @ Hindrance::Host(_)) => failures.push(Failure {
                host,
                why,
                elsewhere: None,
            }),
            Err(why) => lacking.push((need, why)),
        }
    }
    for (need, result) in from_another_host::bring(fleet, lacking, &sender, events).await {
        match result {
            Ok(reference) => start_by(plan, need.reached.name(), &need.pin, &reference),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(not_brought(failures))
    }
}

/// What each host needs.
fn needs(fleet: &Fleet, plan: &Plan) -> impl Iterator<Item = Vec<Need>> + use<> {
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
    let fleet = fleet.clone();
    needed.into_iter().filter_map(move |(host, images)| {
        let reached = fleet.host(&host)?;
        let need = |(source, written, pin)| Need {
            reached: reached.clone(),
            source,
            written,
            pin,
        };
        Some(images.into_iter().map(need).collect())
    })
}

/// Brings a host what it needs, one image after the other.
async fn bring_all(
    needs: Vec<Need>,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Vec<(Need, Result<String, Hindrance>)> {
    let mut results = Vec::new();
    for need in needs {
        let result = bring_one(&need, sender, logins, events).await;
        let is_over = matches!(&result, Err(Hindrance::Host(_)));
        results.push((need, result));
        if is_over {
            break;
        }
    }
    results
}

/// Brings a host an image from where it comes from, unless it is there. Returns the reference by which it is
/// there.
async fn bring_one(
    need: &Need,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Result<String, Hindrance> {
    let Need {
        reached,
        source,
        written,
        pin,
    } = need;
    if let Some(image) = have(reached, pin).await? {
        return Ok(image.reference);
    }
    match source {
        ImageSource::Registry => {
            let reference = &pin.reference;
            let command = logins.for_registry_of(reference, docker::pull(reference));
            let pulled = pull(reached, reference, command.await?, events).await;
            pulled.map_err(|error| {
                if error.is_unreachable() || is_full(&error) {
                    Hindrance::Host(error)
                } else {
                    Hindrance::Source(error)
                }
            })?;
        }
        ImageSource::Local => sender.send(reached, written, pin, events).await?,
    }
    Ok(pin.reference.clone())
}

/// Has a host start an image by the reference that it has there. The digest is what the hash of a spec and
/// the release's record go by, and they stay as they are: the next deploy finds nothing to do, and the next
/// host that has to pull it does so by what the registry knows.
fn start_by(plan: &mut Plan, host: &HostName, pin: &PinnedImage, reference: &str) {
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

/// The end of a run of which some host could not have an image.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn not_brought(failures: Vec<Failure>) -> Box<Stop> {
    let hosts: BTreeSet<_> = failures.iter().map(|failure| &failure.host).collect();
    let message = format!(
        "the images did not reach {}; nothing was changed on any host",
        text::list(hosts)
    );
    let no_password = |failure: &Failure| matches!(failure.why, Hindrance::Password(_));
    let outcome = if failures.iter().all(no_password) {
        Outcome::Usage
    } else {
        Outcome::NotReady
    };
    let (mut errors, mut hints, mut searches) = (Vec::new(), Vec::new(), BTreeSet::new());
    for Failure {
        host,
        why,
        elsewhere,
    } in failures
    {
        searches.extend(elsewhere);
        let (error, hint) = match why {
            Hindrance::Password(error) => (error.clone().into(), error.hint),
            // A disk that is full there is this machine's.
            Hindrance::Source(error) => (error, None),
            Hindrance::Host(error) => {
                let hint = is_full(&error).then(|| preflight::free_space(&host));
                (error, hint)
            }
        };
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
        errors.push((host, error));
    }
    hints.push("the images that did arrive are not sent again: run the same command once the cause is mended".to_owned());
    let mut stop = Stop::on_hosts(outcome, message, &errors);
    stop.report.causes.extend(searches);
    stop.hint(hints.join("\n"))
}

/// Whether a disk of the host is full, so that it can take no image, wherever from.
fn is_full(error: &HostError) -> bool {
    let said = text::chain(error).join(": ").to_lowercase();
    said.contains("no space left on device")
}
