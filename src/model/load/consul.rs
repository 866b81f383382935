//! The inventory's `[consul]`.

use std::path::PathBuf;

use super::{
    hosts::is_address,
    read::{Project, expect_file},
    secret,
};
use crate::{
    config::{
        inventory::{ConsulSection, Inventory},
        values::{CaFile, Text},
    },
    diagnostic::{Located, Problem, Problems},
    model::{ConsulSettings, HostAndPort, Scheme, SecretSource, without_brackets},
};

pub(super) fn consul(
    project: &Project,
    inventory: &Inventory,
    problems: &mut Problems,
) -> ConsulSettings {
    let consul = inventory.consul.as_ref().map(|consul| &consul.value);
    let section = consul.cloned().unwrap_or_default();
    let scheme = scheme(&section, problems);
    let ConsulSection {
        address: _,
        scheme: _,
        ca_file,
        server_name,
        token,
        namespace,
        partition,
    } = &section;
    let token = token.as_ref().map(|token| -> SecretSource {
        let as_written = |text: &Located<Text>, _: &mut Problems| text.value.0.clone();
        secret::source(&token.value, &token.place, project, problems, as_written)
    });
    ConsulSettings {
        address: address(&section, problems),
        scheme,
        ca_file: ca_file
            .as_ref()
            .map(|file| authorities(file, project, problems)),
        server_name: word(server_name.as_ref(), problems),
        token,
        namespace: word(namespace.as_ref(), problems),
        partition: word(partition.as_ref(), problems),
    }
}

fn address(section: &ConsulSection, problems: &mut Problems) -> HostAndPort {
    let text = section.address.value();
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = without_brackets(host);
        is_address(host).then(|| HostAndPort::new(host, port))
    });
    if let (None, Some(place)) = (&parsed, section.address.place()) {
        problems.push(
            Problem::error(format!("`{text}` is not `HOST:PORT`"))
                .at(place, "expected `HOST:PORT`")
                .hint("Consul's own default is `127.0.0.1:8500`"),
        );
    }
    parsed.unwrap_or_else(|| HostAndPort::new(text.clone(), 0))
}

/// What is about certificates has no meaning without TLS.
fn scheme(section: &ConsulSection, problems: &mut Problems) -> Scheme {
    use crate::config::slot::Plain;
    let scheme = section.scheme.value().meaning();
    let keys = [
        ("ca_file", section.ca_file.as_ref().map(|it| &it.place)),
        (
            "server_name",
            section.server_name.as_ref().map(|it| &it.place),
        ),
    ];
    for (key, place) in keys {
        if let (Scheme::Http, Some(place)) = (scheme, place) {
            problems.push(
                Problem::error(format!("`{key}` without TLS"))
                    .at(place, "about certificates")
                    .hint("add `scheme = \"https\"`"),
            );
        }
    }
    scheme
}

fn authorities(file: &Located<CaFile>, project: &Project, problems: &mut Problems) -> PathBuf {
    let text = &file.value.0;
    let path = project.path_at(text, file, problems);
    if !text.is_empty()
        && let Some(problem) = expect_file(text, &path)
    {
        problems.push(problem.at(&file.place, "not a file to read"));
    }
    path
}

/// A name: one line of text.
fn word(text: Option<&Located<String>>, problems: &mut Problems) -> Option<String> {
    let text = text?;
    if text.value.is_empty() || text.value.contains(char::is_control) {
        problems.push(Problem::error("not a name").at(&text.place, "expected one line of text"));
    }
    Some(text.value.clone())
}
