//! The inventory's small tables: `[ssh]`, `[consul]`, `[images]`, `[releases]`, `[registries]`.

use std::path::PathBuf;

use super::Project;
use crate::{
    config::{
        inventory::{HostSection, Inventory, SecretSection, SshSection},
        values::{HostKeys, OneOrMany, Source},
    },
    diagnostic::{Located, Problem, Problems},
    model::{
        ConsulSettings, HostAndPort, HostKeyPolicy, ImageSource, RegistryLogin, SecretSource,
        SshSettings,
    },
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

/// Whether a text can be a host name or an IP address.
pub(super) fn is_address(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"@/'\"`$;&|<>()\\".contains(c))
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
            password: secret(password, &mut |text| text.value.clone(), project, problems),
        });
    }
    logins
}

fn is_server(text: &str) -> bool {
    is_address(text) && !text.contains("://")
}

/// Where a secret comes from; exactly one key says so.
pub(super) fn secret(
    section: &Located<SecretSection>,
    text: &mut dyn FnMut(&Located<String>) -> String,
    project: &Project,
    problems: &mut Problems,
) -> SecretSource {
    let SecretSection { env, file, command } = &section.value;
    match (env, file, command) {
        (Some(env), None, None) => {
            let name = text(env);
            if !is_env_name(&name) {
                problems.push(wrong_env_name(&name).at(&env.place, "not a name"));
            }
            SecretSource::Env(name)
        }
        (None, Some(file), None) => {
            let text = text(file);
            SecretSource::File(path(project, &text, file, problems))
        }
        (None, None, Some(command)) => SecretSource::Command(text(command)),
        _ => {
            problems.push(
                Problem::error("a secret has exactly one source")
                    .at(&section.place, "one of `env`, `file` and `command`")
                    .hint("for instance `{ env = \"DATABASE_URL\" }`"),
            );
            SecretSource::Env(String::new())
        }
    }
}

/// Whether a word can name an environment variable: docker's `--env-file` takes `NAME=VALUE` lines, and
/// `#` begins a comment.
pub(super) fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('#')
        && name
            .chars()
            .all(|c| c != '=' && !c.is_whitespace() && !c.is_control())
}

/// Whether a shell takes a word for the name of a variable.
pub(super) fn is_shell_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn wrong_env_name(name: &str) -> Problem {
    Problem::error(format!(
        "{name:?} cannot be the name of an environment variable"
    ))
    .hint("a name has no spaces, no `=`, and does not begin with `#`")
}

/// A path in one of the files; see [`Project::path`].
pub(super) fn path<T>(
    project: &Project,
    text: &str,
    at: &Located<T>,
    problems: &mut Problems,
) -> PathBuf {
    if text.is_empty() {
        problems.push(Problem::error("an empty path").at(&at.place, "expected a path"));
    }
    project.path(text).unwrap_or_else(|why| {
        problems.push(Problem::error(why).at(&at.place, "has `~`"));
        PathBuf::from(text)
    })
}

/// How to log in to a host: its own keys, then `[ssh]`'s.
pub(super) fn ssh(
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
            .map(|text| path(project, text, text, problems)),
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
        .map(|text| path(project, text, text, problems))
        .collect()
}
