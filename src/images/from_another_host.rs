//! An image that its source no longer gives may still be on another host.
//!
//! This happens in a rollback to a host that was made anew: the image is a few releases old, and neither the
//! deployer's machine nor the registry has it any more, but the other hosts still run it.

use std::collections::BTreeMap;

use futures::{StreamExt, future::join_all, stream};

use super::{
    delivery::{AT_ONCE, Delivery, DeliveryError, FailedDelivery, is_disk_full},
    present::{have, image_platform, is_same_platform},
    transfer::{SavedImage, Sender, save_from_host},
};
use crate::{
    docker::{self, Image, PinnedImage},
    event::{EventKind, Events},
    hosts::{Fleet, HostError, QUICK, Reached},
    model::{HostName, ImageSource},
    text,
};

/// A delivery that failed at its source.
type Undelivered = (Delivery, DeliveryError);

/// A delivery from another host: the reference that the image has now, or why it failed.
type Delivered = (Delivery, Result<String, FailedDelivery>);

/// Delivers what the sources did not give, each image from the first host that has it and gives it.
pub async fn deliver(
    fleet: &Fleet,
    undelivered: Vec<Undelivered>,
    sender: &Sender,
    events: &Events,
) -> Vec<Delivered> {
    let asked = join_all(undelivered.into_iter().map(async |(delivery, error)| {
        let platform = Platform::of(&delivery).await;
        (delivery, error, platform)
    }));
    let mut delivered = Vec::new();
    // By platform as well, as a registry has an image for each platform under one digest.
    let mut alike = BTreeMap::<(PinnedImage, Platform), Vec<Undelivered>>::new();
    for (delivery, at_source, platform) in asked.await {
        match platform {
            Ok(platform) => {
                let key = (delivery.pin.clone(), platform);
                alike.entry(key).or_default().push((delivery, at_source));
            }
            Err(error) => delivered.push(failed(delivery, DeliveryError::Host(error), None)),
        }
    }
    for ((pin, platform), undelivered) in alike {
        let without: Vec<_> = undelivered
            .iter()
            .map(|(delivery, _)| delivery.reached.name().clone())
            .collect();
        let written = undelivered[0].0.wanted.reference.clone();
        match find(fleet, &pin, &platform, &without, &written, events).await {
            Ok((source, saved)) => {
                let send =
                    |(delivery, error)| send_on(delivery, error, &source, &saved, sender, events);
                let sending = stream::iter(undelivered.into_iter().map(send));
                let results = sending.buffer_unordered(AT_ONCE).collect::<Vec<_>>();
                delivered.extend(results.await);
            }
            Err(facts) => delivered.extend(
                undelivered
                    .into_iter()
                    .map(|(delivery, error)| failed(delivery, error, Some(facts.clone()))),
            ),
        }
    }
    delivered
}

fn failed(delivery: Delivery, error: DeliveryError, elsewhere: Option<String>) -> Delivered {
    let host = delivery.reached.name().clone();
    let failure = FailedDelivery {
        host,
        error,
        elsewhere,
    };
    (delivery, Err(failure))
}

async fn send_on(
    delivery: Delivery,
    at_source: DeliveryError,
    source: &Reached,
    saved: &SavedImage,
    sender: &Sender,
    events: &Events,
) -> Delivered {
    let Delivery {
        reached,
        wanted,
        pin,
    } = &delivery;
    let written = &wanted.reference;
    if let Err(error) = sender
        .send_saved(reached, saved, written, pin, events)
        .await
    {
        if error.is_unreachable() || is_disk_full(&error) {
            return failed(delivery, DeliveryError::Host(error), None);
        }
        // The error of the source is shown, as that is the one to mend.
        let tried = format!(
            "from `{}`: {}",
            source.name(),
            text::chain(&error).join(": ")
        );
        return failed(delivery, at_source, Some(tried));
    }
    let why = match wanted.source {
        ImageSource::Registry => "its registry did not provide it",
        ImageSource::Local => "this machine's Docker did not have it",
    };
    events.send(EventKind::Note {
        message: format!(
            "`{written}` reached `{}` from `{}`, because {why}",
            reached.name(),
            source.name()
        ),
    });
    let reference = pin.stand_in();
    (delivery, Ok(reference))
}

/// What a host answers when it is asked for an image.
enum Answer {
    Has(Image),
    /// It has the image, for this other platform.
    HasOther(String),
    HasNone,
}

/// Finds a host that has an image, and saves the image from it. Nothing is changed on that host. The error says
/// what each host answered.
async fn find(
    fleet: &Fleet,
    pin: &PinnedImage,
    platform: &Platform,
    without: &[HostName],
    written: &str,
    events: &Events,
) -> Result<(Reached, SavedImage), String> {
    let others = fleet
        .hosts()
        .iter()
        .filter(|other| !without.contains(other.name()));
    let asked = join_all(others.map(async |other| (other, ask(other, pin, platform).await)));
    let mut search = Search::default();
    for (other, answer) in asked.await {
        let refusal = match answer {
            Ok(Answer::Has(image)) => match save_from_host(other, &image.id, written, events).await
            {
                Ok(saved) if arrived_as_planned(&saved, pin, &image) => {
                    return Ok((other.clone(), saved));
                }
                Ok(saved) => ("has another image under that name", describe(&saved)),
                Err(error) => ("has it but cannot provide it", chain(&error)),
            },
            Ok(Answer::HasOther(platform)) => ("has it for another platform", platform),
            Ok(Answer::HasNone) => {
                search.without.push(other.name().clone());
                continue;
            }
            Err(error) => ("cannot be asked", chain(&error)),
        };
        search
            .others
            .push((other.name().clone(), refusal.0, refusal.1));
    }
    Err(search.describe(written))
}

/// Whether what a host gave is the image that was planned, told by its bytes.
///
/// What it is called there says little: a tag can be moved, by mistake or on purpose. Where a registry's image is known
/// by the digest of its manifest alone, which `docker save` does not always write, docker's word counts that it came
/// by that digest.
fn arrived_as_planned(saved: &SavedImage, pin: &PinnedImage, image: &Image) -> bool {
    let identities = &saved.archive.identities;
    let is_known = |id: &String| identities.contains(id);
    if is_known(&pin.digest) || pin.id.as_ref().is_some_and(is_known) {
        return true;
    }
    let is_only_known_by_manifest = pin.id.as_ref().is_none_or(|id| *id == pin.digest);
    is_only_known_by_manifest && image.reference.contains('@')
}

fn describe(saved: &SavedImage) -> String {
    let identities = saved.archive.identities.iter();
    let identities: Vec<_> = identities.map(String::as_str).collect();
    if identities.is_empty() {
        "more than one".to_owned()
    } else {
        identities.join(", ")
    }
}

async fn ask(other: &Reached, pin: &PinnedImage, platform: &Platform) -> Result<Answer, HostError> {
    let Some(image) = have(other, pin).await? else {
        return Ok(Answer::HasNone);
    };
    let (fits, its) = match platform {
        Platform::Named(wanted) => {
            let its = image_platform(other, &image).await?;
            (is_same_platform(wanted, &its), its)
        }
        Platform::OfHost(wanted) => {
            let its = docker_platform(other).await?;
            (its == *wanted, its)
        }
    };
    Ok(if fits {
        Answer::Has(image)
    } else {
        Answer::HasOther(its)
    })
}

/// The platform that an image must be for.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Platform {
    /// The one that the recipe names.
    Named(String),
    /// That of the host's docker.
    OfHost(String),
}

impl Platform {
    async fn of(delivery: &Delivery) -> Result<Self, HostError> {
        match &delivery.wanted.platform {
            Some(platform) => Ok(Self::Named(platform.clone())),
            None => docker_platform(&delivery.reached).await.map(Self::OfHost),
        }
    }
}

async fn docker_platform(reached: &Reached) -> Result<String, HostError> {
    let said = reached.expect(docker::platform(), QUICK).await?;
    Ok(said.trim().to_owned())
}

fn chain(error: &HostError) -> String {
    text::chain(error).join(": ")
}

/// A search that found nothing.
#[derive(Default)]
struct Search {
    /// The hosts that do not have it.
    without: Vec<HostName>,
    /// Others, with what is wrong with them and why.
    others: Vec<(HostName, &'static str, String)>,
}

impl Search {
    fn describe(&self, written: &str) -> String {
        let Self { without, others } = self;
        let mut facts = Vec::new();
        if !without.is_empty() {
            facts.push(format!("it is not on {}", text::list(without)));
        }
        facts.extend(
            others
                .iter()
                .map(|(host, what, why)| format!("`{host}` {what}: {why}")),
        );
        if facts.is_empty() {
            facts.push("this run reached no other host".to_owned());
        }
        format!("no other host has `{written}`: {}", facts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_says_of_every_host_why_it_gave_nothing() {
        let mut search = Search::default();
        assert_eq!(
            search.describe("web:1"),
            "no other host has `web:1`: this run reached no other host"
        );
        search.without = vec!["host-2".into(), "host-3".into()];
        assert_eq!(
            search.describe("web:1"),
            "no other host has `web:1`: it is not on `host-2` and `host-3`"
        );
        search.others = vec![
            (
                "host-4".into(),
                "has it for another platform",
                "linux/arm64".into(),
            ),
            (
                "host-5".into(),
                "has it but cannot provide it",
                "`docker save` failed".into(),
            ),
        ];
        assert_eq!(
            search.describe("web:1"),
            "no other host has `web:1`: it is not on `host-2` and `host-3`; \
             `host-4` has it for another platform: linux/arm64; \
             `host-5` has it but cannot provide it: `docker save` failed"
        );
    }
}
