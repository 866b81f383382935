//! The user's own commands and uploads.

use std::time::Duration;

use crate::{
    command::RemoteCommand,
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, failed, progress, stream},
    model::{LateValues, Task, TaskAction},
    text,
    transport::Deadline,
};

/// The pause before another try.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs tasks one after the other, except those whose `unless` exits with 0.
pub async fn run_all<'t>(
    reached: &Reached,
    recipe: &str,
    tasks: impl Iterator<Item = &'t Task>,
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

/// Whether a task's `unless` exits with 0, so that there is nothing to do.
pub async fn is_done(reached: &Reached, task: &Task, late: &LateValues) -> Result<bool, HostError> {
    let Some(unless) = &task.unless else {
        return Ok(false);
    };
    let script = unless
        .render(late)
        .map_err(|error| HostError::Fact(error.to_string()))?;
    let ask = || reached.run(RemoteCommand::shell(script.clone()), task.timeout);
    let output = match ask().await {
        // It only looks, so it may be asked again on a new connection.
        Err(error) if reached.has_lost(&error) => ask().await?,
        result => result?,
    };
    Ok(output.status == 0)
}

/// Runs one task, with its retries. Each line of its output is an event as soon as it comes.
///
/// A connection that is lost in the middle leaves it open whether the task did its work. It is run again where that
/// can be found out, or does no harm.
pub async fn run(
    reached: &Reached,
    recipe: &str,
    task: &Task,
    late: &LateValues,
    events: &Events,
) -> Result<(), HostError> {
    let work = async {
        let mut tries = 1;
        let mut asked_after_loss = false;
        loop {
            match Box::pin(attempt(reached, task, late, events)).await {
                Err(error) if reached.has_lost(&error) && !asked_after_loss => {
                    asked_after_loss = true;
                    let asked = is_done_after_loss(reached, task, late, error, events);
                    if Box::pin(asked).await? {
                        return Ok(());
                    }
                }
                Err(error) if tries <= task.retry && !error.is_unreachable() => {
                    events.send(EventKind::Waiting {
                        host: reached.name().to_string(),
                        recipe: Some(recipe.to_owned()),
                        waits_for: format!("`{}` to succeed", task.name),
                        last_seen: format!("try {tries} of {}: {error}", task.retry + 1),
                    });
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    };
    progress::step(
        events,
        reached.name(),
        Some(recipe),
        &task.name,
        work,
        |()| None,
    )
    .await
}

/// Whether a task whose connection was lost in the middle is done; if not, it may be run again. The error says that
/// nobody can know.
async fn is_done_after_loss(
    reached: &Reached,
    task: &Task,
    late: &LateValues,
    error: HostError,
    events: &Events,
) -> Result<bool, HostError> {
    let lost = text::chain(&error).join(": ");
    // The host itself must be there, or it is lost with all that is on it.
    if reached
        .run(RemoteCommand::new("true"), QUICK)
        .await
        .is_err()
    {
        return Err(error);
    }
    let may_run_again =
        task.unless.is_some() || task.retry > 0 || matches!(task.action, TaskAction::Upload { .. });
    if !may_run_again {
        return Err(HostError::Fact(format!(
            "{lost}; whether it did its work is not known, and without `unless` or `retry` it is not run again"
        )));
    }
    events.send(EventKind::Warning {
        host: Some(reached.name().to_string()),
        message: format!("{lost}; connected again"),
        hint: None,
    });
    is_done(reached, task, late).await
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
                Deadline::Total(task.timeout),
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
