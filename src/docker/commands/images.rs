//! `docker pull`, `docker image …`, `docker save` and `docker load`.

use secrecy::SecretString;

use super::docker::docker;
use crate::{command::RemoteCommand, model::Reference};

/// `docker image inspect` of every reference, one JSON array a line. A missing one makes the status non-zero and
/// prints nothing; the others are printed all the same.
pub fn inspect_images(references: &[&str]) -> RemoteCommand {
    RemoteCommand::script(
        r#"status=0
           for reference do
             image=$(docker image inspect "$reference" \
               --format '["{{.Id}}",{{json .RepoTags}},{{json .RepoDigests}}]') &&
               printf '%s %s\n' "$reference" "$image" || status=1
           done; exit "$status""#,
        references.iter().copied(),
    )
}

/// The layers of every image of a host, one JSON array a line.
pub fn list_image_layers() -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker image ls --quiet --no-trunc) || exit
           [ -z "$ids" ] || docker image inspect --format '{{json .RootFS.Layers}}' $ids"#,
        [""; 0],
    )
}

/// `docker pull`, for the host's own platform or for another one. It prints what becomes of each layer, for
/// [`PullProgress`](crate::docker::PullProgress).
pub fn pull(reference: &str, platform: Option<&str>) -> RemoteCommand {
    let mut pull = docker(&["pull"]);
    if let Some(platform) = platform {
        pull = pull.args(["--platform", platform]);
    }
    pull.arg(reference)
}

/// The platform of an image: `linux/arm64/v8`, without the last part where it has no variant.
pub fn image_platform(reference: &str) -> RemoteCommand {
    let format = "{{.Os}}/{{.Architecture}}{{if .Variant}}/{{.Variant}}{{end}}";
    docker(&["image", "inspect", "--format", format, reference])
}

/// `docker manifest inspect --verbose`: what a registry has under a reference, without pulling it.
pub fn manifest(reference: &str) -> RemoteCommand {
    docker(&["manifest", "inspect", "--verbose", reference])
}

/// Runs a docker command logged in to a registry, and logged out again when it ends: the login is kept in a
/// folder of its own, in memory where the host has `/dev/shm`, and goes with the command.
pub fn logged_in(
    command: &RemoteCommand,
    server: &str,
    username: &str,
    password: SecretString,
) -> RemoteCommand {
    const SCRIPT: &str = r#"
        DOCKER_CONFIG=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit
        export DOCKER_CONFIG
        trap 'rm -rf "$DOCKER_CONFIG"' EXIT
        trap 'exit 1' HUP INT TERM
        docker login --username "$2" --password-stdin "$1" >/dev/null || exit
        shift 2
        "$@" </dev/null"#;
    let words = [server, username]
        .map(str::to_owned)
        .into_iter()
        .chain(command.words().iter().cloned());
    RemoteCommand::script(SCRIPT, words).with_stdin(password)
}

/// Loads an image archive (gzip or plain) from standard input and gives it the tag that a deploy pins.
/// What is loaded keeps the name it was saved under.
pub fn image_load() -> RemoteCommand {
    docker(&["load", "--quiet"])
}

/// `docker tag`.
pub fn image_tag(from: &str, to: &str) -> RemoteCommand {
    docker(&["tag", from, to])
}

/// `docker rmi`: takes a reference away, and what stands in for it on a host that had the image from another
/// one. Docker refuses while a container uses the image, and goes on with the next when one is not there.
pub fn image_remove(reference: &str) -> RemoteCommand {
    docker(&["rmi", reference]).args(Reference::parse(reference).stand_in())
}

/// `docker save` of an image by its id, compressed. A pipe has the status of its last command, so that
/// docker's own failure goes by another way.
pub fn image_save(id: &str) -> RemoteCommand {
    RemoteCommand::script(
        r#"exec 3>&1
           failed=$({ { docker save "$1" || echo "$?" >&4; } | gzip -1 >&3; } 4>&1) || exit
           [ -z "$failed" ]"#,
        [id],
    )
}
