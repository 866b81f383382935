//! The output of a command, shown while it runs.

use std::{collections::VecDeque, time::Duration};

use super::{
    error::{HostError, short},
    reached::Reached,
};
use crate::{
    command::RemoteCommand,
    event::{EventKind, Events, OutputStream},
};

/// How many of its last lines a command's error can show.
const LAST_LINES: usize = 20;

/// Runs a command and sends each line it prints as an event; returns its status and its last lines.
pub async fn stream(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Duration,
    events: &Events,
) -> Result<(u32, Vec<String>), HostError> {
    let command = reached.adapt(command);
    let host = reached.name().to_string();
    let mut last = VecDeque::new();
    let mut on_line = |stream: OutputStream, line: &str| {
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(line.to_owned());
        events.send(EventKind::Output {
            host: host.clone(),
            stream,
            line: line.to_owned(),
        });
    };
    let status = reached
        .session
        .run_streaming(&command, deadline, &mut on_line)
        .await
        .map_err(|source| HostError::Session {
            command: short(&command),
            source,
        })?;
    Ok((status, last.into()))
}
