//! `docker system df`.

use super::docker::docker;
use crate::command::RemoteCommand;

/// What each image takes that no other one shares, and what each container has written: a line each, `image ID SIZE`
/// or `container ID SIZE`.
pub fn disk_usage() -> RemoteCommand {
    // Docker reads backslashes in a format before the template does, so the line breaks are those of `println`.
    let format = concat!(
        "{{range .Images}}{{println `image` .ID .UniqueSize}}{{end}}",
        "{{range .Containers}}{{println `container` .ID .Size}}{{end}}"
    );
    docker(&["system", "df", "--verbose", "--format", format])
}
