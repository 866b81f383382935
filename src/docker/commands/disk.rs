//! `docker system df`.

use super::docker::docker;
use crate::command::RemoteCommand;

/// What each image takes that no other one shares, and what each container has written: a line each, `image ID SIZE`
/// or `container ID SIZE`.
pub fn disk_usage() -> RemoteCommand {
    let format = concat!(
        r#"{{range .Images}}image {{.ID}} {{.UniqueSize}}{{"\n"}}{{end}}"#,
        r#"{{range .Containers}}container {{.ID}} {{.Size}}{{"\n"}}{{end}}"#
    );
    docker(&["system", "df", "--verbose", "--format", format])
}
