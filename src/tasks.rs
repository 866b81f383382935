//! The user's own commands and uploads.

mod one_off;

use std::time::Duration;

pub use one_off::{random_suffix, remove_left, remove_left_of, remove_now};

use crate::{
    command::RemoteCommand,
    docker::OneOff,
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, failed, progress, stream},
    model::{LateValues, Task, TaskAction, TemplateError},
    text,
    transport::{Deadline, Output},
};

/// The pause before another try.
const PAUSE: Duration = Duration::from_secs(1);

/// What the tasks of a recipe on one host run with.
pub struct TaskContext<'a> {
    /// The recipe's name.
    pub recipe: &'a str,
    /// What their templates may name late.
    pub late: LateValues,
    /// What their one-off containers are made like; `None` for a recipe without a container.
    pub one_off: Option<OneOff<'a>>,
    /// Where events go.
    pub events: &'a Events,
}

/// Runs tasks one after the other, except those whose `unless` exits with 0.
pub async fn run_all<'t>(
    reached: &Reached,
    tasks: impl Iterator<Item = &'t Task>,
    context: &TaskContext<'_>,
) -> Result<(), HostError> {
    for task in tasks {
        if !is_done(reached, task, &context.late).await? {
            run(reached, task, context).await?;
        }
    }
    Ok(())
}

/// Whether a task's `unless` exits with 0, so that there is nothing to do.
pub async fn is_done(reached: &Reached, task: &Task, late: &LateValues) -> Result<bool, HostError> {
    let Some(unless) = &task.unless else {
        return Ok(false);
    };
    let script = unless.render(late).map_err(fact)?;
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
    task: &Task,
    context: &TaskContext<'_>,
) -> Result<(), HostError> {
    let (recipe, events) = (context.recipe, context.events);
    let work = async {
        let mut tries = 1;
        let mut asked_after_loss = false;
        loop {
            match Box::pin(attempt(reached, task, context)).await {
                Err(error) if reached.has_lost(&error) && !asked_after_loss => {
                    asked_after_loss = true;
                    let asked = is_done_after_loss(reached, task, context, error);
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
    context: &TaskContext<'_>,
    error: HostError,
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
    context.events.send(EventKind::Warning {
        host: Some(reached.name().to_string()),
        message: format!("{lost}; connected again"),
        hint: None,
    });
    if let (TaskAction::RunInNew(_), Some(one_off)) = (&task.action, &context.one_off) {
        // It may still be at work, and two at the same work do harm.
        remove_left_of(reached, one_off).await?;
    }
    is_done(reached, task, &context.late).await
}

async fn attempt(
    reached: &Reached,
    task: &Task,
    context: &TaskContext<'_>,
) -> Result<(), HostError> {
    match &task.action {
        TaskAction::Run(script) => {
            let script = script.render(&context.late).map_err(fact)?;
            let deadline = Deadline::Total(task.timeout);
            let command = RemoteCommand::shell(script.clone());
            let ended = stream(reached, command, deadline, context.events).await?;
            failure(script.trim(), ended).map_or(Ok(()), Err)
        }
        TaskAction::RunInNew(words) => {
            let words = words.iter().map(|word| word.render(&context.late));
            let words = words.collect::<Result<Vec<_>, _>>().map_err(fact)?;
            let Some(one_off) = &context.one_off else {
                let recipe = context.recipe;
                return Err(HostError::Fact(format!("`{recipe}` has no image to run")));
            };
            let ended = one_off::run(reached, one_off, &words, task.timeout, context.events);
            let shown = match &words[..] {
                [sh, c, script] if sh == "sh" && c == "-c" => script.trim().to_owned(),
                _ => words.join(" "),
            };
            failure(&shown, ended.await?).map_or(Ok(()), Err)
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

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn fact(error: TemplateError) -> HostError {
    HostError::Fact(error.to_string())
}

/// The error of a command whose status is not 0, with the last lines that it printed.
fn failure(command: &str, (status, lines): (u32, Vec<String>)) -> Option<HostError> {
    let output = Output {
        status,
        stdout: String::new(),
        stderr: lines.join("\n"),
    };
    (status != 0).then(|| failed(command.to_owned(), &output))
}
