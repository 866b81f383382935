//! Which exact image a reference means now.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
};

use tokio::process::Command;

use super::{inspect, pull};
use crate::{
    docker::{self, Image, PinnedImage, Reference},
    event::{EventKind, Events, Outcome},
    execute::{
        fleet::{Fleet, HostError, QUICK, Reached},
        stop::{Run, Stop},
    },
    model::{HostName, ImageSource},
    text,
};

/// An image as a recipe names it.
pub type Wanted = (String, ImageSource);

/// What each image that a recipe names is now.
pub type Pins = BTreeMap<Wanted, PinnedImage>;

/// How the images of registries are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// One host pulls what its registry has now. It changes no container.
    Pull,
    /// The registry is only asked, for a plan.
    Ask,
}

/// Finds out what every wanted image is now. `users` are the hosts that use each.
pub async fn resolve(
    fleet: &Fleet,
    users: &BTreeMap<Wanted, BTreeSet<HostName>>,
    lookup: Lookup,
    events: &Events,
) -> Run<Pins> {
    let mut pins = Pins::new();
    for ((reference, source), hosts) in users {
        let pin = match source {
            ImageSource::Local => local_pin(reference).await?,
            ImageSource::Registry => {
                let Some(reached) = fleet
                    .hosts()
                    .iter()
                    .find(|reached| hosts.contains(reached.name()))
                else {
                    continue;
                };
                registry_pin(reached, reference, lookup, events).await?
            }
        };
        pins.insert((reference.clone(), *source), pin);
    }
    Ok(pins)
}

async fn local_pin(reference: &str) -> Run<PinnedImage> {
    let missing = |cause: String| {
        Stop::new(Outcome::NotReady, format!("the image `{reference}` is not in this machine's Docker"))
            .cause(cause)
            .hint(format!("docker build --tag {reference} .    (or `source = \"registry\"` if hosts are to pull it)"))
    };
    let asked = Command::new("docker")
        .args(["image", "inspect", "--format", "{{.Id}}", reference])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(QUICK, asked)
        .await
        .map_err(|_| {
            missing(format!(
                "this machine's Docker did not answer within {}",
                text::duration(QUICK)
            ))
        })?
        .map_err(|error| missing(format!("`docker` cannot be run here: {error}")))?;
    if !output.status.success() {
        return Err(missing(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let digest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(PinnedImage {
        reference: Reference::parse(reference).local_tag(&digest),
        digest,
    })
}

async fn registry_pin(
    reached: &Reached,
    reference: &str,
    lookup: Lookup,
    events: &Events,
) -> Run<PinnedImage> {
    if let Some(digest) = Reference::parse(reference).digest {
        return Ok(PinnedImage {
            reference: reference.to_owned(),
            digest: digest.to_owned(),
        });
    }
    let cannot = |error: &HostError| {
        Stop::on_host(
            Outcome::NotReady,
            format!("cannot tell which image `{reference}` is now; nothing was changed"),
            reached.name(),
            error,
        )
        .hint(format!("on `{}`: docker pull {reference}", reached.name()))
    };
    if lookup == Lookup::Ask {
        return asked_pin(reached, reference, events)
            .await
            .map_err(|error| cannot(&error));
    }
    pull(reached, reference, events)
        .await
        .map_err(|error| cannot(&error))?;
    let image = inspect(reached, reference)
        .await
        .map_err(|error| cannot(&error))?;
    image
        .as_ref()
        .and_then(|image| pin_of(reference, image))
        .ok_or_else(|| {
            cannot(&HostError::Fact(
                "it has no digest of that registry after the pull".to_owned(),
            ))
        })
}

/// What a plan can say of a registry's image: what the registry has, as far as it can be asked; else what
/// the host has.
async fn asked_pin(
    reached: &Reached,
    reference: &str,
    events: &Events,
) -> Result<PinnedImage, HostError> {
    let present = inspect(reached, reference).await?;
    let output = reached.run(docker::manifest(reference), QUICK).await?;
    let offered = docker::manifest_config_digests(&output.stdout);
    let present_pin = present.as_ref().and_then(|image| pin_of(reference, image));
    match (&present, present_pin) {
        (Some(image), Some(pin)) if offered.contains(&image.id) => Ok(pin),
        (_, Some(pin)) if offered.is_empty() => {
            let why = output
                .stderr
                .lines()
                .last()
                .unwrap_or("no answer")
                .trim()
                .to_owned();
            events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message: format!(
                    "the registry cannot be asked whether `{reference}` has moved: {why}"
                ),
                hint: Some("`shipit deploy` pulls it and looks".into()),
            });
            Ok(pin)
        }
        _ => {
            let digest = offered
                .first()
                .cloned()
                .unwrap_or_else(|| "not pulled yet".to_owned());
            Ok(PinnedImage {
                reference: reference.to_owned(),
                digest,
            })
        }
    }
}

fn pin_of(reference: &str, image: &Image) -> Option<PinnedImage> {
    let repository = Reference::parse(reference).repository;
    let of_repository = |digest: &&String| Reference::parse(digest).repository == repository;
    let digests = &image.digests;
    // Docker shortens `docker.io/library/nginx` to `nginx`: then the only digest there is, is meant.
    let found = digests
        .iter()
        .find(of_repository)
        .or_else(|| digests.first().filter(|_| digests.len() == 1))?;
    let digest = Reference::parse(found).digest?.to_owned();
    Some(PinnedImage {
        reference: found.clone(),
        digest,
    })
}
