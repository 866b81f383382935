//! What a host's docker says of itself.

use super::docker::docker;
use crate::command::RemoteCommand;

/// The platform of a host's docker, as images name theirs: `linux/amd64`.
pub fn platform() -> RemoteCommand {
    docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"])
}

/// `docker info` as JSON: the preflight's question whether docker answers, and to this account.
pub fn info() -> RemoteCommand {
    docker(&["info", "--format", "{{json .}}"])
}
