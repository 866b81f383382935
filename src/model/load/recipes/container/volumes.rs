//! What docker would refuse of `[container] volumes`.

use std::collections::HashMap;

use super::super::super::scope::is_unresolved;
use crate::{
    config::recipe::ContainerSection,
    diagnostic::{Place, Problem, Problems},
    model::ContainerSpec,
    text,
};

/// docker's words after the last colon: at most one of each kind.
const MODES: [&[&str]; 5] = [
    &["ro", "rw"],
    &["z", "Z"],
    COPY,
    PROPAGATION,
    &["consistent", "cached", "delegated"],
];

/// What only a volume of docker's can have: the image's files are not copied into it.
const COPY: &[&str] = &["nocopy"];

/// What only a path of the host can have: how mounts below it are seen.
const PROPAGATION: &[&str] = &[
    "shared", "rshared", "slave", "rslave", "private", "rprivate",
];

/// Checks the volumes as docker does.
pub(super) fn check(section: &ContainerSection, spec: &ContainerSpec, problems: &mut Problems) {
    let written = section.volumes.iter().flat_map(|volumes| &volumes.value);
    let has_driver = has_driver(spec);
    let mut targets = HashMap::<String, &Place>::new();
    for (written, volume) in written.zip(&spec.volumes) {
        let is_told = volume.is_empty() || volume.contains(char::is_control);
        if is_told || is_unresolved(&written.value.0, volume) {
            continue;
        }
        let place = &written.place;
        let target = match target_of(volume, has_driver) {
            Ok(target) => target,
            Err((why, hint)) => {
                problems.push(
                    Problem::error(format!("`{volume}` is not a volume: {why}"))
                        .at(place, "expected `[NAME:|/HOST:]/CONTAINER[:MODE]`")
                        .maybe_hint(hint),
                );
                continue;
            }
        };
        if let Some(first) = targets.insert(target.clone(), place) {
            problems.push(
                Problem::error(format!("two volumes at `{target}`"))
                    .at(place, "again")
                    .at(first, "the first"),
            );
        }
    }
}

/// The drivers of volumes have names of their own.
pub(in super::super::super) fn has_driver(spec: &ContainerSpec) -> bool {
    let mut options = spec.options.iter();
    options.any(|option| option.starts_with("--volume-driver"))
}

type Wrong = (String, Option<String>);

/// Where in the container a volume is.
pub(super) fn target_of(volume: &str, has_driver: bool) -> Result<String, Wrong> {
    let wrong = |why: String| Err((why, None));
    let parts: Vec<_> = volume.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [target] => (None, target, None),
        [source, target] => (Some(source), target, None),
        [source, target, mode] => (Some(source), target, Some(mode)),
        _ => return wrong("it has too many colons".to_owned()),
    };
    if let Some(source) = source {
        check_source(source, has_driver)?;
    }
    if !target.starts_with('/') {
        return wrong(format!(
            "`{target}` is not an absolute path in the container"
        ));
    }
    let mut clean = Vec::new();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    if clean.is_empty() {
        return wrong("it would hide the whole container".to_owned());
    }
    if let Some(mode) = mode {
        check_mode(mode, source.is_some_and(|source| source.starts_with('/')))?;
    }
    Ok(format!("/{}", clean.join("/")))
}

fn check_mode(mode: &str, is_of_the_host: bool) -> Result<(), Wrong> {
    let words: Vec<_> = mode.split(',').collect();
    let unknown = words.iter().find(|word| !MODES.concat().contains(word));
    if let Some(unknown) = unknown {
        return Err((
            format!("`{unknown}` is not a mode"),
            Some(format!("docker knows {}", text::list(MODES.concat()))),
        ));
    }
    for kind in MODES {
        let of_kind: Vec<_> = words.iter().filter(|word| kind.contains(word)).collect();
        if let [one, other, ..] = of_kind[..] {
            return Err((format!("`{one}` and `{other}` exclude each other"), None));
        }
    }
    let misplaced = if is_of_the_host { COPY } else { PROPAGATION };
    match words.iter().find(|word| misplaced.contains(word)) {
        None => Ok(()),
        Some(word) if is_of_the_host => Err((
            format!("`{word}` is for volumes of docker, and this is a path of the host"),
            None,
        )),
        Some(word) => Err((
            format!("`{word}` is for paths of the host, and this is a volume of docker"),
            None,
        )),
    }
}

fn check_source(source: &str, has_driver: bool) -> Result<(), Wrong> {
    if source.is_empty() {
        return Err((
            "a name or a path is missing before the colon".to_owned(),
            None,
        ));
    }
    if source.starts_with('/') || has_driver {
        return Ok(());
    }
    if source.starts_with(['.', '~']) || source.contains('/') {
        return Err((
            format!("`{source}` is a relative path"),
            Some(
                "a path on the host begins with `/`; a volume of docker has a plain name"
                    .to_owned(),
            ),
        ));
    }
    let is_name = source.len() > 1
        && source.starts_with(|c: char| c.is_ascii_alphanumeric())
        && source
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if is_name {
        Ok(())
    } else {
        Err((
            format!("`{source}` is not the name of a volume"),
            Some(
                "two or more letters, digits, `_`, `.` or `-`, a letter or digit first".to_owned(),
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_what_docker_takes() {
        for (volume, target) in [
            ("/data", "/data"),
            ("data:/data", "/data"),
            ("/srv/a:/data/", "/data"),
            ("/srv/a:/a/./b//c:ro", "/a/b/c"),
            ("/srv/a:/a:ro,z,rslave", "/a"),
            ("a.b_c-1:/a", "/a"),
            ("ab:/a:nocopy,z,ro", "/a"),
        ] {
            assert_eq!(target_of(volume, false).as_deref(), Ok(target), "{volume}");
        }
        for volume in [
            "",
            "data",
            "data:data",
            "./data:/data",
            "../data:/data",
            "~/data:/data",
            "sub/data:/data",
            "a:/data",
            "-data:/data",
            "da ta:/data",
            ":/data",
            "/srv:",
            "/srv:/",
            "/srv:/a/..//",
            "/data:ro",
            "/srv:/data:",
            "/srv:/data:rx",
            "/srv:/data:ro:z",
            "ab:/data:ro,rw",
            "/srv:/data:z,Z",
            "/srv:/data:shared,private",
            "/srv:/data:nocopy",
            "ab:/data:rshared",
            r"C:\data:/data",
        ] {
            assert!(target_of(volume, false).is_err(), "{volume}");
        }
        assert!(target_of("server/share:/data", true).is_ok());
    }
}
