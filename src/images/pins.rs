//! Which exact image a reference means now.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
};

use tokio::process::Command;

use super::{
    logins::Logins,
    present::{inspect, pull},
    wanted::{Pins, Wanted},
};
use crate::{
    command::{quote, typed},
    docker::{self, Image, PinnedImage},
    event::{EventKind, Events, Outcome},
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop},
    model::{HostName, ImageSource, Reference},
    text,
};

/// How the images of registries are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// One host pulls what its registry has now. It changes no container.
    Pull,
    /// The registry is only asked, for a plan.
    Ask,
}

/// Finds out which exact image each wanted one is now. `users` are the hosts that use each.
pub async fn resolve(
    fleet: &Fleet,
    users: &BTreeMap<Wanted, BTreeSet<HostName>>,
    lookup: Lookup,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<Pins> {
    let mut pins = Pins::new();
    for (wanted, hosts) in users {
        let reference = &wanted.reference;
        let pin = match wanted.source {
            ImageSource::Local => local_pin(reference).await?,
            ImageSource::Registry => {
                let users: Vec<_> = fleet
                    .hosts()
                    .iter()
                    .filter(|reached| hosts.contains(reached.name()))
                    .collect();
                match lookup {
                    Lookup::Pull => registry_pin(&users, wanted, logins, events).await?,
                    Lookup::Ask => asked_pin(&users, reference, logins, events).await?,
                }
            }
        };
        pins.insert(wanted.clone(), pin);
    }
    Ok(pins)
}

async fn local_pin(reference: &str) -> Run<PinnedImage> {
    let missing = |cause: String| {
        Stop::new(
            Outcome::NotReady,
            format!("the image `{reference}` is not in this machine's Docker"),
        )
        .cause(cause)
        .hint(format!(
            "docker build --tag {} .    (or `source = \"registry\"` if hosts are to pull it)",
            quote(reference)
        ))
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
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(missing(text::complaint(&printed).unwrap_or_default()));
    }
    let digest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(PinnedImage {
        reference: Reference::parse(reference).local_tag(&digest),
        digest,
        id: None,
    })
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot_tell(reference: &str, reached: &Reached, error: &HostError) -> Box<Stop> {
    let message = format!("cannot resolve the image `{reference}`; nothing was changed");
    Stop::on_host(Outcome::NotReady, message, reached.name(), error).hint(format!(
        "on `{}`: {}",
        reached.name(),
        typed("docker pull", [reference])
    ))
}

/// A reference with a digest is exact already; its tag says nothing more.
fn exact(reference: &str) -> Option<PinnedImage> {
    let reference = Reference::parse(reference);
    let digest = reference.digest?.to_owned();
    Some(PinnedImage {
        reference: reference.at_digest(&digest),
        digest,
        id: None,
    })
}

async fn registry_pin(
    users: &[&Reached],
    wanted: &Wanted,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<PinnedImage> {
    let reference = wanted.reference.as_str();
    if let Some(pin) = exact(reference) {
        return Ok(pin);
    }
    let Some(reached) = users.first() else {
        return Err(Stop::not_ready(format!(
            "no host of this run can look up `{reference}`"
        )));
    };
    let ask = async {
        let command = docker::pull(reference, wanted.platform.as_deref());
        let command = logins.for_registry_of(reference, command).await?;
        pull(reached, reference, command, events).await?;
        let image = inspect(reached, reference).await?;
        let pin = image.as_ref().and_then(|image| pin_of(reference, image));
        pin.ok_or_else(|| {
            HostError::Fact("it has no digest of that registry after the pull".to_owned())
        })
    };
    ask.await
        .map_err(|error| cannot_tell(reference, reached, &error))
}

/// The image that a plan shows. It pulls nothing: the one that a host has counts, unless the registry offers
/// another one by now.
async fn asked_pin(
    users: &[&Reached],
    reference: &str,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<PinnedImage> {
    if let Some(pin) = exact(reference) {
        return Ok(pin);
    }
    let not_pulled = |digest: &str| PinnedImage {
        reference: reference.to_owned(),
        digest: digest.to_owned(),
        id: None,
    };
    let mut present = None;
    for reached in users {
        let image = inspect(reached, reference)
            .await
            .map_err(|error| cannot_tell(reference, reached, &error))?;
        present = image.and_then(|image| Some((pin_of(reference, &image)?, image)));
        if present.is_some() {
            break;
        }
    }
    let Some(reached) = users.first() else {
        return Ok(not_pulled("not pulled yet"));
    };
    let ask = async {
        let command = docker::manifest(reference);
        let command = logins.for_registry_of(reference, command).await?;
        reached.run(command, QUICK).await
    };
    let output = ask
        .await
        .map_err(|error| cannot_tell(reference, reached, &error))?;
    let offered = docker::manifest_config_digests(&output.stdout);
    match present {
        Some((pin, image)) if offered.contains(&image.id) => Ok(pin),
        Some((pin, _)) if offered.is_empty() => {
            let why = text::complaint(&output.stderr).unwrap_or_else(|| "no answer".to_owned());
            events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message: format!(
                    "cannot ask the registry whether `{reference}` has changed: {why}"
                ),
                hint: Some("`shipit deploy` pulls it and looks".into()),
            });
            Ok(pin)
        }
        _ => Ok(not_pulled(
            offered.first().map_or("not pulled yet", String::as_str),
        )),
    }
}

fn pin_of(reference: &str, image: &Image) -> Option<PinnedImage> {
    let reference = Reference::parse(reference);
    let found = image
        .digests
        .iter()
        .find(|digest| Reference::parse(digest).is_of_same_repository(&reference))?;
    let digest = Reference::parse(found).digest?.to_owned();
    Some(PinnedImage {
        reference: found.clone(),
        digest,
        id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_pinned_by_the_digest_of_its_own_repository() {
        let image = Image {
            reference: "nginx".to_owned(),
            id: "sha256:1d".to_owned(),
            tags: Vec::new(),
            digests: vec![
                "10.88.1.110:5000/team/web@sha256:aa".to_owned(),
                "nginx@sha256:bb".to_owned(),
            ],
        };
        let pinned = |reference: &str| pin_of(reference, &image).map(|pin| pin.reference);
        for reference in [
            "nginx:1.27",
            "library/nginx:1.27",
            "docker.io/library/nginx:1.27",
            "index.docker.io/library/nginx",
        ] {
            assert_eq!(
                pinned(reference).as_deref(),
                Some("nginx@sha256:bb"),
                "{reference}"
            );
        }
        assert_eq!(
            pinned("10.88.1.110:5000/team/web:1").as_deref(),
            Some("10.88.1.110:5000/team/web@sha256:aa")
        );
        // It came from elsewhere and got this tag.
        assert_eq!(pinned("registry.example/nginx:1"), None);
        let exact = exact("nginx:1.27@sha256:bb").map(|pin| pin.reference);
        assert_eq!(exact.as_deref(), Some("nginx@sha256:bb"));
    }
}
