//! The images that a host has, and pulling one.

use std::time::Duration;

use crate::{
    command::RemoteCommand,
    docker::{self, Image, PinnedImage, PullProgress},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, progress, read_lines},
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

/// Whether an image that a host has is the one that was planned. Docker has checked what came by a registry's digest;
/// a tag may have been moved, so there the id must be right.
pub fn is_planned(image: &Image, pin: &PinnedImage) -> bool {
    image.reference.contains('@') || image.id == pin.digest || pin.id.as_ref() == Some(&image.id)
}

/// Whether an image that a host has is for this platform; for the host's own, any that it has is.
pub async fn is_for(
    reached: &Reached,
    image: &Image,
    platform: Option<&str>,
) -> Result<bool, HostError> {
    let Some(platform) = platform else {
        return Ok(true);
    };
    let found = image_platform(reached, image).await?;
    Ok(is_same_platform(platform, &found))
}

/// The platform of an image that a host has.
pub async fn image_platform(reached: &Reached, image: &Image) -> Result<String, HostError> {
    let command = docker::image_platform(&image.reference);
    let found = reached.expect(command, QUICK).await?;
    Ok(found.trim().to_owned())
}

/// `linux/arm64` is also one with a variant, such as `linux/arm64/v8`.
pub fn is_same_platform(wanted: &str, found: &str) -> bool {
    let rest = found.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Runs a [`docker::pull`] of `reference`.
pub async fn pull(
    reached: &Reached,
    reference: &str,
    command: RemoteCommand,
    events: &Events,
) -> Result<(), HostError> {
    let mut layers = PullProgress::default();
    let work = read_lines(reached, command, PULL, |line| {
        let is_layer = layers.read(line);
        if is_layer {
            let (layers, total) = layers.layers();
            events.send(EventKind::Pull {
                host: reached.name().to_string(),
                what: reference.to_owned(),
                layers,
                total,
            });
        }
        is_layer
    });
    let step = format!("pull {reference}");
    progress::step(events, reached.name(), None, &step, work, |()| None).await
}

#[cfg(test)]
mod tests {
    use super::is_same_platform;

    #[test]
    fn a_platform_without_a_variant_is_any_variant() {
        assert!(is_same_platform("linux/arm64", "linux/arm64"));
        assert!(is_same_platform("linux/arm64", "linux/arm64/v8"));
        assert!(!is_same_platform("linux/arm", "linux/arm64"));
        assert!(!is_same_platform("linux/arm64/v8", "linux/arm64"));
        assert!(!is_same_platform("linux/amd64", "linux/arm64"));
    }
}
