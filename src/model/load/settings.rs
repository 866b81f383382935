//! The inventory's small tables: `[images]`, `[releases]`, `[state]`, `[[hooks]]`, `[registries]`.

use std::ops::RangeInclusive;

use super::{hosts::is_address, read::Project, secret};
use crate::{
    config::{
        inventory::{HookSection, Inventory},
        slot::Plain,
        values::Text,
    },
    diagnostic::{Located, Problem, Problems},
    model::{Hook, ImageSource, RegistryLogin, SecretSource},
};

/// The source of images whose recipe does not name one.
pub(super) fn image_source(inventory: &Inventory) -> ImageSource {
    let images = inventory.images.as_ref();
    let section = images.map(|images| images.value.clone());
    section.unwrap_or_default().source.value().meaning()
}

pub(super) fn keep_releases(inventory: &Inventory) -> usize {
    let releases = inventory.releases.as_ref();
    let section = releases.map(|releases| releases.value.clone());
    usize::try_from(*section.unwrap_or_default().keep.value()).unwrap_or(usize::MAX)
}

pub(super) fn ports(inventory: &Inventory, problems: &mut Problems) -> RangeInclusive<u16> {
    let ports = inventory.ports.as_ref().map(|ports| &ports.value);
    let section = ports.cloned().unwrap_or_default();
    let text = section.range.value();
    let ends = text.split_once('-').and_then(|(first, last)| {
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        Some((port(first)?, port(last)?))
    });
    let range = ends.filter(|(first, last)| first <= last);
    if let (None, Some(place)) = (range, section.range.place()) {
        problems.push(
            Problem::error(format!("`{text}` is not a range of ports"))
                .at(place, "expected `FIRST-LAST`")
                .hint("for instance `\"20000-29999\"`"),
        );
    }
    let (first, last) = range.unwrap_or((1, 1));
    first..=last
}

pub(super) fn state_key(
    project: &Project,
    inventory: &Inventory,
    problems: &mut Problems,
) -> Option<SecretSource> {
    let state = inventory.state.as_ref()?;
    let Some(key) = &state.value.key else {
        problems.push(
            Problem::error("`[state]` has no key")
                .at(&state.place, "`key` is missing")
                .hint("`shipit state key` makes one and prints the lines"),
        );
        return None;
    };
    let as_written = |text: &Located<Text>, _: &mut Problems| text.value.0.clone();
    let place = &key.place;
    Some(secret::source(key, place, project, problems, as_written))
}

pub(super) fn hooks(inventory: &Inventory, problems: &mut Problems) -> Vec<Hook> {
    let mut hooks = Vec::new();
    for section in inventory.hooks.iter().flat_map(|hooks| &hooks.value) {
        let HookSection { on, run, timeout } = &section.value;
        let on: Vec<_> = on
            .iter()
            .flat_map(|on| &on.value)
            .map(|event| event.value)
            .collect();
        let script = run.as_ref().map(|run| run.value.0.clone());
        let script = script.filter(|script| !script.trim().is_empty());
        if on.is_empty() {
            problems.push(
                Problem::error("a hook without `on`")
                    .at(&section.place, "when?")
                    .hint("for instance `on = [\"succeeded\", \"failed\", \"reverted\"]`"),
            );
        }
        if script.is_none() {
            problems.push(
                Problem::error("a hook without a command")
                    .at(&section.place, "`run` is missing or empty"),
            );
        }
        hooks.push(Hook {
            on,
            run: script.unwrap_or_default(),
            timeout: timeout.value().0,
        });
    }
    hooks
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
            password: secret::source(password, &password.place, project, problems, |text, _| {
                text.value.0.clone()
            }),
        });
    }
    logins
}

fn is_server(text: &str) -> bool {
    // An IPv6 address before a port is in brackets.
    is_address(&text.replace(['[', ']'], "")) && !text.contains("://")
}
