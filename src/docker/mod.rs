//! Docker's command line: commands as values, and docker's JSON as types. Nothing here runs anything.

mod archive;
mod archive_identity;
mod archive_times;
mod commands;
mod identity;
mod inspect;
mod pull;

pub use archive::Archive;
pub use archive_times::clear_times;
pub use commands::{
    HAD_NO_EFFECT, LogRange, OneOff, OneOffFor, WAS_REFUSED, WATCHES, attach, container_logs,
    create, disk_usage, events_since, exec, exists, image_load, image_platform, image_remove,
    image_save, image_tag, info, inspect_containers, inspect_images, inspect_records,
    inspect_volumes, inspect_volumes_of_previews, list_containers, list_containers_of_previews,
    list_image_layers, list_names, list_ports, list_running, list_volumes, logged_in, manifest,
    place_file, platform, pull, read_file, remove, remove_after, rename, run, set_restart, start,
    stop, volume_create, volume_remove, volume_replace, was_signalled, write_file,
};
pub use identity::{
    HIGHEST_RELEASE, Identity, PinnedImage, SpecHash, container_base_name, label, own_name,
    short_hash,
};
pub use inspect::{
    Container, ContainerState, DiskUsage, Health, Image, Info, PortBinding, PublishedPorts, Volume,
    deleted_images, is_only_missing, keeps_the_image, manifest_config_digests, parse_containers,
    parse_disk_usage, parse_images, parse_info, parse_layers, parse_volumes,
};
pub use pull::PullProgress;
