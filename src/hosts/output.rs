//! The output of a command, shown while it runs.

use std::collections::VecDeque;

use super::{
    error::{HostError, short},
    reached::Reached,
};
use crate::{
    command::RemoteCommand,
    event::{Events, OutputStream},
    transport::Deadline,
};

/// How many of its last lines a command's error can show.
const LAST_LINES: usize = 20;

/// Runs a command and sends each line it prints as an event; returns its status and its last lines. It takes no
/// more from the host than its reader takes.
pub async fn stream(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Deadline,
    events: &Events,
) -> Result<(u32, Vec<String>), HostError> {
    let command = reached.adapt(command);
    let host = reached.name().to_string();
    let mut last = VecDeque::new();
    let on_line = |stream: OutputStream, line: String| {
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(line.clone());
        events.output(host.clone(), stream, line)
    };
    let status = reached
        .session
        .run_streaming(&command, deadline, on_line)
        .await
        .map_err(|source| HostError::Session {
            command: short(&command),
            source,
        })?;
    Ok((status, last.into()))
}
