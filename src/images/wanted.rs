//! The images that recipes name.

use std::collections::BTreeMap;

use crate::{docker::PinnedImage, model::ImageSource};

/// An image as a recipe names it, and where it comes from.
pub type Wanted = (String, ImageSource);

/// The exact image that each wanted one is now.
pub type Pins = BTreeMap<Wanted, PinnedImage>;
