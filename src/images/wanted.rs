//! The images that recipes name.

use std::collections::BTreeMap;

use crate::{
    docker::PinnedImage,
    model::{ContainerSpec, ImageSource},
};

/// An image as a recipe names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Its reference.
    pub reference: String,
    /// Where it comes from.
    pub source: ImageSource,
    /// Which of its platforms, where that is not the host's own.
    pub platform: Option<String>,
}

impl Wanted {
    /// The image of a container.
    pub fn of(spec: &ContainerSpec) -> Self {
        Self {
            reference: spec.image.clone(),
            source: spec.source,
            platform: spec.platform.clone(),
        }
    }
}

/// The exact image that each wanted one is now.
pub type Pins = BTreeMap<Wanted, PinnedImage>;
