//! The output of a command, shown while it runs.

use std::{collections::VecDeque, future, time::Duration};

use super::{
    error::{HostError, failed, short},
    reached::Reached,
};
use crate::{
    command::RemoteCommand,
    event::{Events, OutputStream},
    text::Tail,
    transport::{Deadline, Output},
};

/// How many of its last lines a command's error can show.
const LAST_LINES: usize = 20;

/// Runs a command and returns its status and the last lines that it printed, however much that was in all.
pub async fn last_lines(
    reached: &Reached,
    command: RemoteCommand,
    most: usize,
    deadline: Duration,
) -> Result<(u32, Vec<String>), HostError> {
    let on_line = |_, _: &str| future::ready(());
    follow(reached, command, Deadline::Total(deadline), most, on_line).await
}

/// Runs a command and sends each line it prints as an event; returns its status and its last lines. It takes no
/// more from the host than its reader takes.
pub async fn stream(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Deadline,
    events: &Events,
) -> Result<(u32, Vec<String>), HostError> {
    let host = reached.name().to_string();
    let on_line =
        |stream: OutputStream, line: &str| events.output(host.clone(), stream, line.to_owned());
    follow(reached, command, deadline, LAST_LINES, on_line).await
}

/// Runs a command and hands over each line that it prints as it comes; returns its status and its last lines.
pub async fn each_line<Taken: Future<Output = ()> + Send>(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Deadline,
    on_line: impl FnMut(OutputStream, &str) -> Taken + Send,
) -> Result<(u32, Vec<String>), HostError> {
    follow(reached, command, deadline, LAST_LINES, on_line).await
}

/// Runs a command that must succeed and hands over each line of its standard output as it comes. Those that
/// `read` makes nothing of are a part of the error, if it comes to one.
pub async fn read_lines(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Duration,
    mut read: impl FnMut(&str) -> bool + Send,
) -> Result<(), HostError> {
    let command = reached.adapt(command);
    let shown = short(&command);
    let (mut stdout, mut stderr) = (Tail::default(), Tail::default());
    let keep = |stream: OutputStream, line: String| {
        let rest = match stream {
            OutputStream::Stdout if read(&line) => None,
            OutputStream::Stdout => Some(&mut stdout),
            OutputStream::Stderr => Some(&mut stderr),
        };
        if let Some(rest) = rest {
            rest.add(line.as_bytes());
            rest.add(b"\n");
        }
        future::ready(())
    };
    // Large, and a part of everything that waits for an image.
    let status = Box::pin(streamed(reached, &command, Deadline::Total(deadline), keep)).await?;
    if status == 0 {
        return Ok(());
    }
    let [stdout, stderr] = [stdout, stderr].map(Tail::into_text);
    let output = Output {
        status,
        stdout,
        stderr,
    };
    Err(failed(shown, &output))
}

async fn follow<Taken: Future<Output = ()> + Send>(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Deadline,
    most: usize,
    mut on_line: impl FnMut(OutputStream, &str) -> Taken + Send,
) -> Result<(u32, Vec<String>), HostError> {
    let command = reached.adapt(command);
    let mut last = VecDeque::new();
    let keep = |stream: OutputStream, line: String| {
        let taken = on_line(stream, &line);
        if last.len() == most {
            last.pop_front();
        }
        last.push_back(line);
        taken
    };
    let status = streamed(reached, &command, deadline, keep).await?;
    Ok((status, last.into()))
}

/// Runs a command as it is; each line goes to `on_line`. Returns its status.
async fn streamed<Taken: Future<Output = ()> + Send>(
    reached: &Reached,
    command: &RemoteCommand,
    deadline: Deadline,
    on_line: impl FnMut(OutputStream, String) -> Taken + Send,
) -> Result<u32, HostError> {
    let running = reached.session.run_streaming(command, deadline, on_line);
    running.await.map_err(|source| HostError::Session {
        command: short(command),
        source,
    })
}
