//! The user's own commands and uploads.

use std::time::Duration;

use super::fleet::{HostError, Reached, failed};
use crate::{
    command::RemoteCommand,
    event::{EventKind, Events, OutputStream},
    model::{LateValues, Task, TaskAction},
    text,
};

/// The pause before a further try.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs tasks one after the other, each only when its `unless` does not hold.
pub async fn run_all(
    reached: &Reached,
    recipe: &str,
    tasks: &[Task],
    late: &LateValues,
    events: &Events,
) -> Result<(), HostError> {
    for task in tasks {
        if !is_done(reached, task, late).await? {
            run(reached, recipe, task, late, events).await?;
        }
    }
    Ok(())
}

/// Whether a task's `unless` says that there is nothing to do.
pub async fn is_done(reached: &Reached, task: &Task, late: &LateValues) -> Result<bool, HostError> {
    let Some(unless) = &task.unless else {
        return Ok(false);
    };
    let script = unless
        .render(late)
        .map_err(|error| HostError::Fact(error.to_string()))?;
    Ok(reached
        .run(RemoteCommand::shell(script), task.timeout)
        .await?
        .status
        == 0)
}

/// Runs one task, with its retries. Its output goes out line by line as it comes.
pub async fn run(
    reached: &Reached,
    recipe: &str,
    task: &Task,
    late: &LateValues,
    events: &Events,
) -> Result<(), HostError> {
    let (host, step) = (reached.name().to_string(), task.name.clone());
    let recipe = Some(recipe.to_owned());
    events.send(EventKind::StepStarted {
        host: host.clone(),
        recipe: recipe.clone(),
        step: step.clone(),
    });
    let began = tokio::time::Instant::now();
    let mut tries = 0;
    let result = loop {
        let result = attempt(reached, task, late, events).await;
        tries += 1;
        match result {
            Err(error) if tries <= task.retry && !error.is_unreachable() => {
                let of = task.retry + 1;
                events.send(EventKind::Waiting {
                    host: host.clone(),
                    recipe: recipe.clone(),
                    waits_for: format!("`{}` to succeed", task.name),
                    last_seen: format!("try {tries} of {of}: {error}"),
                });
                tokio::time::sleep(PAUSE).await;
            }
            result => break result,
        }
    };
    match &result {
        Ok(()) => events.send(EventKind::StepFinished {
            host,
            recipe,
            step,
            took: began.elapsed(),
            detail: None,
        }),
        Err(error) => {
            let evidence = error.output().to_vec();
            events.send(EventKind::StepFailed {
                host,
                recipe,
                step,
                error: text::chain(error),
                evidence,
            });
        }
    }
    result
}

async fn attempt(
    reached: &Reached,
    task: &Task,
    late: &LateValues,
    events: &Events,
) -> Result<(), HostError> {
    match &task.action {
        TaskAction::Run(script) => {
            let script = script
                .render(late)
                .map_err(|error| HostError::Fact(error.to_string()))?;
            let status = stream(
                reached,
                RemoteCommand::shell(script.clone()),
                task.timeout,
                events,
            )
            .await?;
            match status {
                (0, _) => Ok(()),
                (status, output) => {
                    let output = crate::transport::Output {
                        status,
                        stdout: String::new(),
                        stderr: output.join("\n"),
                    };
                    Err(failed(script.trim().to_owned(), &output))
                }
            }
        }
        TaskAction::Upload {
            from: _,
            to,
            mode,
            content,
        } => {
            let sudo = reached.host.ssh.r#become;
            let command = format!("upload to {to}");
            reached
                .session
                .upload(content, to, *mode, sudo, task.timeout)
                .await
                .map_err(|source| HostError::Session { command, source })
        }
    }
}

/// Runs a command and sends each line it prints as an event; returns its status and its last lines.
pub async fn stream(
    reached: &Reached,
    command: RemoteCommand,
    deadline: Duration,
    events: &Events,
) -> Result<(u32, Vec<String>), HostError> {
    const KEPT: usize = 20;
    let command = reached.adapt(command);
    let host = reached.name().to_string();
    let mut last = std::collections::VecDeque::new();
    let mut on_line = |stream: OutputStream, line: &str| {
        if last.len() == KEPT {
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
            command: super::fleet::short(&command),
            source,
        })?;
    Ok((status, last.into()))
}
