//! How a host is reached.

use std::path::PathBuf;

use super::super::read::Project;
use crate::{
    config::{
        inventory::{HostSection, SshSection},
        slot::Plain,
        values::OneOrMany,
    },
    diagnostic::{Located, Problem, Problems},
    model::{JumpHost, SshSettings},
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
    for text in [&host.user, &general.user].into_iter().flatten() {
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
        host_keys: general.host_keys.map(|policy| policy.meaning()),
        known_hosts_files: paths(project, general.known_hosts_file.as_ref(), problems),
        proxy_jump: jumps(
            host.proxy_jump.as_ref().or(general.proxy_jump.as_ref()),
            problems,
        ),
        config_file: general
            .config_file
            .as_ref()
            .map(|text| project.path_at(text, text, problems)),
        connect_timeout: general.connect_timeout.map(|timeout| timeout.value.0),
    }
}

fn jumps(text: Option<&Located<String>>, problems: &mut Problems) -> Option<Vec<JumpHost>> {
    let text = text?;
    let read = if text.trim().is_empty() {
        Err("an empty text names no jump host".to_owned())
    } else {
        JumpHost::parse_list(text)
    };
    match read {
        Ok(jumps) => Some(jumps),
        Err(why) => {
            problems.push(
                Problem::error(why)
                    .at(&text.place, "expected `[USER@]HOST[:PORT]`")
                    .hint("a comma stands between two jump hosts; `none` is no jump host"),
            );
            None
        }
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
