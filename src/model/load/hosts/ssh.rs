//! How a host is reached.

use std::path::PathBuf;

use super::super::read::Project;
use crate::{
    config::{
        inventory::{HostSection, SshSection},
        values::{HostKeys, OneOrMany},
    },
    diagnostic::{Located, Problem, Problems},
    model::{HostKeyPolicy, SshSettings},
};

/// How to log in to a host: its own keys, then `[ssh]`'s.
pub(super) fn settings(
    project: &Project,
    host: &HostSection,
    general: Option<&SshSection>,
    problems: &mut Problems,
) -> SshSettings {
    let general = general.cloned().unwrap_or_default();
    let identity_files = host
        .identity_file
        .as_ref()
        .or(general.identity_file.as_ref());
    for port in [&host.port, &general.port].into_iter().flatten() {
        if port.value == 0 {
            problems.push(Problem::error("port 0").at(&port.place, "expected 1 to 65535"));
        }
    }
    for text in [
        &host.user,
        &general.user,
        &host.proxy_jump,
        &general.proxy_jump,
    ]
    .into_iter()
    .flatten()
    {
        if text.value.is_empty() || text.value.contains(char::is_control) {
            problems.push(
                Problem::error("an empty text or one with control characters")
                    .at(&text.place, "expected a single line"),
            );
        }
    }
    SshSettings {
        user: first(host.user.as_ref(), general.user.as_ref()),
        port: first(host.port.as_ref(), general.port.as_ref()),
        identity_files: paths(project, identity_files, problems),
        r#become: first(host.r#become.as_ref(), general.r#become.as_ref()).unwrap_or(false),
        host_keys: general.host_keys.map(|policy| match policy.value {
            HostKeys::AcceptNew => HostKeyPolicy::AcceptNew,
            HostKeys::Strict => HostKeyPolicy::Strict,
        }),
        known_hosts_files: paths(project, general.known_hosts_file.as_ref(), problems),
        proxy_jump: first(host.proxy_jump.as_ref(), general.proxy_jump.as_ref()),
        config_file: general
            .config_file
            .as_ref()
            .map(|text| project.path_at(text, text, problems)),
        connect_timeout: general.connect_timeout.map(|timeout| {
            if timeout.value.0.is_zero() {
                problems.push(
                    Problem::error("no time to connect").at(&timeout.place, "more than `0s`"),
                );
            }
            timeout.value.0
        }),
    }
}

fn first<T: Clone>(own: Option<&Located<T>>, general: Option<&Located<T>>) -> Option<T> {
    own.or(general).map(|found| found.value.clone())
}

fn paths(
    project: &Project,
    texts: Option<&Located<OneOrMany<String>>>,
    problems: &mut Problems,
) -> Vec<PathBuf> {
    let texts = texts.map(|texts| texts.0.as_slice()).unwrap_or_default();
    texts
        .iter()
        .map(|text| project.path_at(text, text, problems))
        .collect()
}
