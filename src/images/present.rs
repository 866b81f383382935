//! The images that a host has, and pulling one.

use std::time::Duration;

use crate::{
    command::RemoteCommand,
    docker::{self, Image, PinnedImage},
    event::Events,
    hosts::{HostError, Reached, progress},
};

/// The longest that a pull may take.
const PULL: Duration = Duration::from_secs(30 * 60);

/// An image as a host has it under this reference.
pub async fn inspect(reached: &Reached, reference: &str) -> Result<Option<Image>, HostError> {
    let images = reached
        .read(docker::inspect_images(&[reference]), docker::parse_images)
        .await?;
    Ok(images.into_iter().next())
}

/// A pinned image as a host has it: by the digest of its registry, or under the tag that stands in for the digest.
pub async fn have(reached: &Reached, pin: &PinnedImage) -> Result<Option<Image>, HostError> {
    let stand_in = pin.stand_in();
    let command = docker::inspect_images(&[&pin.reference, &stand_in]);
    let images = reached.read(command, docker::parse_images).await?;
    Ok(images.into_iter().next())
}

/// Runs a [`docker::pull`] of `reference`.
pub async fn pull(
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
