//! Docker's JSON as types, as far as shipit reads it.

mod container;
mod disk;
mod image;
mod info;
mod missing;
mod null;
mod ports;
mod volume;

pub use container::{Container, ContainerState, Health, parse_containers};
pub use disk::{DiskUsage, deleted_images, parse_disk_usage};
pub use image::{Image, manifest_config_digests, parse_images, parse_layers};
pub use info::{Info, parse_info};
pub use missing::{is_only_missing, keeps_the_image};
pub use ports::{PortBinding, PublishedPorts};
pub use volume::{Volume, parse_volumes};
