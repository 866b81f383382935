//! The inventory's small tables: `[consul]`, `[images]`, `[releases]`, `[registries]`.

use super::{hosts::is_address, read::Project, secret};
use crate::{
    config::{inventory::Inventory, values::Source},
    diagnostic::{Problem, Problems},
    model::{ConsulSettings, HostAndPort, ImageSource, RegistryLogin},
};

/// The source of images whose recipe does not name one.
pub(super) fn image_source(inventory: &Inventory) -> ImageSource {
    let images = inventory.images.as_ref();
    let source = images.and_then(|images| images.source.as_ref());
    source
        .map(|source| source.value)
        .map(image_source_of)
        .unwrap_or_default()
}

pub(super) fn image_source_of(source: Source) -> ImageSource {
    match source {
        Source::Registry => ImageSource::Registry,
        Source::Local => ImageSource::Local,
    }
}

pub(super) fn keep_releases(inventory: &Inventory, problems: &mut Problems) -> usize {
    let releases = inventory.releases.as_ref();
    let Some(keep) = releases.and_then(|releases| releases.keep.as_ref()) else {
        return 10;
    };
    if keep.value == 0 {
        problems.push(
            Problem::error("no release would be kept")
                .at(&keep.place, "at least 1")
                .hint("a rollback needs 2: the release that runs and the one before"),
        );
    }
    usize::try_from(keep.value).unwrap_or(usize::MAX)
}

pub(super) fn consul(inventory: &Inventory, problems: &mut Problems) -> ConsulSettings {
    let default = HostAndPort {
        host: "127.0.0.1".to_owned(),
        port: 8500,
    };
    let consul = inventory.consul.as_ref();
    let Some(text) = consul.and_then(|consul| consul.address.as_ref()) else {
        return ConsulSettings { address: default };
    };
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        is_address(host).then(|| HostAndPort {
            host: host.to_owned(),
            port,
        })
    });
    if parsed.is_none() {
        problems.push(
            Problem::error(format!("`{}` is not `HOST:PORT`", text.value))
                .at(&text.place, "expected `HOST:PORT`")
                .hint("Consul's own default is `127.0.0.1:8500`"),
        );
    }
    ConsulSettings {
        address: parsed.unwrap_or(default),
    }
}

pub(super) fn registries(
    project: &Project,
    inventory: &Inventory,
    problems: &mut Problems,
) -> Vec<RegistryLogin> {
    let mut logins = Vec::new();
    let entries = inventory.registries.as_ref().map(|entries| &entries.0);
    for (server, registry) in entries.into_iter().flatten() {
        if !is_server(server) {
            problems.push(
                Problem::error(format!("`{}` is not a registry", server.value))
                    .at(&server.place, "expected `HOST` or `HOST:PORT`")
                    .hint("write it as image references begin: `\"registry.example:5000\"`"),
            );
        }
        let missing = |key: &str| {
            Problem::error(format!("registry `{}` has no `{key}`", server.value))
                .at(&server.place, format!("`{key}` is missing"))
        };
        if registry.username.is_none() {
            problems.push(missing("username"));
        }
        let Some(password) = &registry.password else {
            problems.push(missing("password"));
            continue;
        };
        logins.push(RegistryLogin {
            server: server.value.clone(),
            username: registry
                .username
                .as_ref()
                .map(|username| username.value.clone())
                .unwrap_or_default(),
            password: secret::source(password, &mut |text| text.value.clone(), project, problems),
        });
    }
    logins
}

fn is_server(text: &str) -> bool {
    is_address(text) && !text.contains("://")
}
