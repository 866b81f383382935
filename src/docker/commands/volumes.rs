//! `docker volume …`.

use std::collections::BTreeMap;

use super::docker::docker;
use crate::{command::RemoteCommand, docker::label};

/// `docker volume inspect` of every volume of an environment, as one JSON array.
pub fn inspect_volumes(environment: &str) -> RemoteCommand {
    inspect_labelled(format!("{}={environment}", label::ENVIRONMENT))
}

/// The same of all previews of an environment.
pub fn inspect_volumes_of_previews(base: &str) -> RemoteCommand {
    inspect_labelled(format!("{}={base}", label::PREVIEW_OF))
}

/// `docker volume inspect` of every volume that has a release record, of whichever environment, as one JSON array.
pub fn inspect_records() -> RemoteCommand {
    inspect_labelled(label::RECORD.to_owned())
}

fn inspect_labelled(label: String) -> RemoteCommand {
    RemoteCommand::script(
        r#"names=$(docker volume ls --quiet --filter "label=$1") || exit
           if [ -z "$names" ]; then echo '[]'; else docker volume inspect $names; fi"#,
        [label],
    )
}

/// The names of all volumes of a host, one a line.
pub fn list_volumes() -> RemoteCommand {
    docker(&["volume", "ls", "--quiet"])
}

/// `docker volume create` with labels. An existing volume of that name is left as it is.
pub fn volume_create(name: &str, labels: &BTreeMap<String, String>) -> RemoteCommand {
    docker(&["volume", "create"])
        .args(label_words(labels))
        .arg(name)
}

/// A volume with other labels in place of one that has this name. Both steps are one command, so that a connection
/// that is lost between them leaves one of the two.
pub fn volume_replace(name: &str, labels: &BTreeMap<String, String>) -> RemoteCommand {
    RemoteCommand::script(
        r#"docker volume rm --force "$1" >/dev/null || exit
           name=$1; shift
           docker volume create "$@" "$name""#,
        [name.to_owned()].into_iter().chain(label_words(labels)),
    )
}

fn label_words(labels: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    labels
        .iter()
        .flat_map(|(name, value)| ["--label".to_owned(), format!("{name}={value}")])
}

/// `docker volume rm --force`: fine when it is not there.
pub fn volume_remove(names: &[&str]) -> RemoteCommand {
    docker(&["volume", "rm", "--force"]).args(names.iter().copied())
}
