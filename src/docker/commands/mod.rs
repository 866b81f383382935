//! Builders of docker commands, named by docker's verbs. Each returns a value that tests compare as text.

mod containers;
mod daemon;
mod disk;
mod docker;
mod files;
mod images;
mod logs;
mod one_off;
#[cfg(test)]
mod tests;
mod volumes;

pub use containers::{
    create, events_since, exists, inspect_containers, list_containers, list_containers_of_previews,
    list_names, list_ports, list_running, remove, rename, run, set_restart, start, stop,
    was_signalled,
};
pub use daemon::{info, platform};
pub use disk::disk_usage;
pub use files::{HAD_NO_EFFECT, WAS_REFUSED, place_file, read_file, write_file};
pub use images::{
    image_load, image_platform, image_remove, image_save, image_tag, inspect_images,
    list_image_layers, logged_in, manifest, pull,
};
pub use logs::{LogRange, container_logs};
pub use one_off::{OneOff, OneOffFor, WATCHES, attach, exec, remove_after};
pub use volumes::{
    inspect_records, inspect_volumes, inspect_volumes_of_previews, list_volumes, volume_create,
    volume_remove, volume_replace,
};
