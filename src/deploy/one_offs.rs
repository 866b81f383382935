//! The one-off containers of commands, which a run that was cut off has left.

use crate::{
    docker,
    event::{EventKind, Outcome},
    facts::Facts,
    hosts::{Fleet, Run, Stop},
    model::TaskAction,
    run::Context,
    tasks, text,
};

/// Removes those that an earlier run has left. Needs the lock.
pub async fn remove_left(context: &Context<'_>, fleet: &Fleet, facts: &Facts) -> Run<()> {
    let removed = fleet.each(|reached| {
        let facts = facts.hosts.get(reached.name());
        let containers = facts.map_or(&[][..], |facts| &facts.containers);
        tasks::remove_left(reached, containers, context.events)
    });
    for (reached, result) in removed.await {
        let host = reached.name();
        let message = format!("cannot remove what a command has left on `{host}`");
        result.map_err(|error| Stop::on_host(Outcome::NotReady, message, host, &error))?;
    }
    Ok(())
}

/// Removes those that this run leaves, when it was stopped at once. What cannot be removed is the next run's.
pub async fn remove_own(context: &Context<'_>, fleet: &Fleet) {
    let recipes = context.environment.recipes.iter();
    let mut tasks = recipes
        .flat_map(|recipe| recipe.by_host.values())
        .flat_map(|on| on.before.iter().chain(&on.after));
    if !tasks.any(|task| matches!(task.action, TaskAction::RunInNew(_))) {
        return;
    }
    let removed = fleet.each(|reached| async move {
        let all = docker::list_containers(&context.environment.name);
        let containers = reached.read(all, docker::parse_containers).await?;
        tasks::remove_left(reached, &containers, context.events).await
    });
    for (reached, result) in removed.await {
        if let Err(error) = result {
            context.events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message: format!(
                    "a command may still be at work: {}",
                    text::chain(&error).join(": ")
                ),
                hint: Some("the next deploy removes its container".to_owned()),
            });
        }
    }
}
