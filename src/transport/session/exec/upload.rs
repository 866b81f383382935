//! A file placed on a host with nothing but a POSIX shell there.

use std::{sync::Arc, time::Duration};

use super::{
    exchange::{Deadline, Input, exchange},
    sink::Pieces,
};
use crate::{
    command::RemoteCommand,
    event::OutputStream,
    text::Tail,
    transport::session::{connection::Connection, error::SessionError},
};

/// `$1` is the file, `$2` its mode. The new content is written beside the file, so that `mv` is a rename
/// within one file system, which is atomic. `mktemp` is on every host that has docker; with its mode of
/// 0600 nobody reads the content before it has its own mode. A folder in the file's place would make `mv`
/// move into it. `sync` is not called: a host that loses power gets the file again.
const PLACE: &str = r#"
umask 077
if [ -d "$1" ]; then echo "it is a folder" >&2; exit 1; fi
new=$(mktemp "$1.XXXXXXXX") || exit
trap 'rm -f "$new"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$new" && [ "$(wc -c <"$new")" -eq "$3" ] && chmod "$2" "$new" && mv -f "$new" "$1" || exit
trap - EXIT
"#;

pub(in crate::transport) async fn upload(
    connection: &Arc<Connection>,
    content: &[u8],
    to: &str,
    mode: u32,
    sudo: bool,
    deadline: Duration,
) -> Result<(), SessionError> {
    let length = content.len().to_string();
    let mut command = RemoteCommand::script(PLACE, [to, &format!("{mode:o}"), &length]);
    if sudo {
        command = command.with_sudo();
    }
    let mut stderr = Tail::default();
    let status = exchange(
        connection,
        &command,
        Input::Stream(Box::new(content), &mut |_| {}),
        Deadline::Total(deadline),
        &mut Pieces::new(|stream, bytes| {
            if stream == OutputStream::Stderr {
                stderr.add(bytes);
            }
        }),
    )
    .await?;
    if status == 0 {
        return Ok(());
    }
    Err(SessionError::Upload {
        host: connection.host.clone(),
        path: to.to_owned(),
        status,
        stderr: stderr.into_text(),
    })
}
