//! Builders of docker commands, named by docker's verbs. Each returns a value that tests compare as text.

mod containers;
mod daemon;
mod docker;
mod images;
#[cfg(test)]
mod tests;
mod volumes;

pub use containers::{
    container_logs, container_logs_follow, events_since, exists, inspect_containers,
    list_containers, list_names, list_running, remove, rename, run, set_restart, start, stop,
    was_signalled,
};
pub use daemon::{info, platform};
pub use images::{
    image_load, image_platform, image_remove, image_save, image_tag, inspect_images,
    list_image_layers, logged_in, manifest, pull,
};
pub use volumes::{inspect_volumes, volume_create, volume_remove, volume_replace};
