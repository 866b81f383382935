//! An image on its way to a host, and what can go wrong with that.

use super::{logins::NoPassword, wanted::Wanted};
use crate::{
    docker::PinnedImage,
    hosts::{HostError, Reached},
    model::HostName,
    text,
};

/// How many hosts get images at once: they share a registry, or another host's connection.
pub const AT_ONCE: usize = 16;

/// An image that a host must have before it starts a container of it.
#[derive(Clone)]
pub struct Delivery {
    /// The host.
    pub reached: Reached,
    /// The image as the recipe names it.
    pub wanted: Wanted,
    /// The exact image.
    pub pin: PinnedImage,
}

/// Why a host did not get an image.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Its source does not give it. Another host may have it.
    #[error(transparent)]
    Source(HostError),
    /// Its registry cannot be asked without a password. Another host may have it.
    #[error(transparent)]
    Password(#[from] NoPassword),
    /// The host cannot take any image.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// A host that did not get an image.
pub struct FailedDelivery {
    /// The host.
    pub host: HostName,
    /// Why not.
    pub error: DeliveryError,
    /// Why no other host gave it either, if they were asked.
    pub elsewhere: Option<String>,
}

/// Whether the host's disk is full, so that it can take no image from anywhere.
pub fn is_disk_full(error: &HostError) -> bool {
    let message = text::chain(error).join(": ").to_lowercase();
    message.contains("no space left on device")
}
