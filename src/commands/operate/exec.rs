//! `exec` and `run`: a user's own commands.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    command::RemoteCommand,
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{HostError, Reached, Run, Stop, row},
    model::{HostName, LateValues, Name},
    plan::{Scope, TaskRef},
    run::Context,
    state::lock,
    tasks, text,
};

/// What an interrupt in the middle of a user's command means.
const UNKNOWN: &str = "how far the command came is not known";

/// A command for all hosts.
pub struct ExecRequest {
    /// The hosts; all when empty.
    pub hosts: Vec<HostName>,
    /// Its words, each taken literally.
    pub words: Vec<String>,
    /// The longest that it may take on a host.
    pub timeout: Duration,
}

/// Runs a command on all hosts at once.
pub async fn exec(context: &Context<'_>, request: ExecRequest) -> Run<Outcome> {
    let scope = Scope {
        hosts: request.hosts,
        recipes: Vec::new(),
    };
    let fleet = context.connect(&context.hosts_of(&scope)).await?;
    let Some((program, arguments)) = request.words.split_first() else {
        return Ok(Outcome::NothingToDo);
    };
    let command = RemoteCommand::new(program).args(arguments);
    let running = fleet
        .each(|reached| tasks::stream(reached, command.clone(), request.timeout, context.events));
    let results = context
        .interruptible(UNKNOWN, async { Ok(running.await) })
        .await?;
    let mut failed = Vec::new();
    for (reached, result) in results {
        let (state, severity) = match result {
            Ok((0, _)) => ("exited with 0".to_owned(), Severity::Good),
            Ok((status, _)) => (format!("exited with {status}"), Severity::Bad),
            Err(error) => (text::chain(&error).join(": "), Severity::Bad),
        };
        if severity == Severity::Bad {
            failed.push(reached.name().clone());
        }
        context.events.send(EventKind::HostState {
            row: row(reached.name(), state, severity),
        });
    }
    fleet.close().await;
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Stop::new(
        Outcome::Failed,
        format!("`{program}` failed on {}", text::list(&failed)),
    ))
}

/// Runs the commands of a recipe that has no container: on every host at once, on each one after the other.
pub async fn run_task(context: &Context<'_>, name: &Name, hosts: Vec<HostName>) -> Run<Outcome> {
    let environment = context.environment;
    let Some(recipe) = environment.recipe(name) else {
        return Ok(Outcome::NothingToDo);
    };
    if recipe.has_container() {
        return Err(Stop::new(
            Outcome::Usage,
            format!("`{name}` has a container, so it is deployed and not run"),
        )
        .hint(format!("shipit deploy {} {name}", environment.name)));
    }
    let scope = Scope {
        hosts,
        recipes: vec![name.clone()],
    };
    let mut reach = context.hosts_of(&scope);
    reach.retain(|host| {
        recipe.hosts.contains(&host.name) || host.name == environment.lock_host().name
    });
    if !reach
        .iter()
        .any(|host| host.name == environment.lock_host().name)
    {
        reach.insert(0, environment.lock_host());
    }
    let fleet = context.connect(&reach).await?;
    let lock = lock::take(context, &fleet, "run").await?;
    let done = crate::observe::done_tasks(&fleet, environment, &scope).await?;
    context.events.send(EventKind::Phase {
        phase: Phase::Deploy,
    });
    let first = recipe.hosts.iter().find(|host| scope.has_host(host));
    let late = LateValues {
        release: String::new(),
        container: String::new(),
    };
    let work = |reached: &Reached| {
        let mine = recipe
            .on
            .get(reached.name())
            .filter(|_| scope.has_host(reached.name()))
            .cloned();
        let (reached, late, done) = (reached.clone(), late.clone(), done.clone());
        async move { run_on(context, &reached, name, mine, first, &done, &late).await }
    };
    let results = context
        .interruptible(UNKNOWN, async { Ok(fleet.each(work).await) })
        .await;
    drop(lock);
    let mut failures = Vec::new();
    let mut ran = false;
    for (reached, result) in results? {
        match result {
            Ok(some) => ran |= some,
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    fleet.close().await;
    match (failures.is_empty(), ran) {
        (true, true) => Ok(Outcome::Done),
        (true, false) => Ok(Outcome::NothingToDo),
        (false, _) => {
            let names = text::list(failures.iter().map(|(host, _)| host));
            Err(Stop::on_hosts(
                Outcome::Failed,
                format!("`{name}` failed on {names}"),
                &failures,
            ))
        }
    }
}

async fn run_on(
    context: &Context<'_>,
    reached: &Reached,
    name: &Name,
    on: Option<crate::model::HostRecipe>,
    first: Option<&HostName>,
    done: &BTreeSet<TaskRef>,
    late: &LateValues,
) -> Result<bool, HostError> {
    let mut ran = false;
    for (index, task) in on
        .map(|on| on.commands)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let task_ref = TaskRef {
            recipe: name.clone(),
            host: reached.name().clone(),
            index,
        };
        if done.contains(&task_ref) || (task.once && first != Some(reached.name())) {
            continue;
        }
        tasks::run(reached, name, task, late, context.events).await?;
        ran = true;
    }
    Ok(ran)
}
