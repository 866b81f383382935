//! Commands in one-off containers, and what is left of those whose deployer was killed.

use std::time::Duration;

use crate::{
    docker::{self, Container, OneOff, OneOffFor},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, stream},
    transport::Deadline,
};

/// Runs words in a one-off container and returns their status and last lines. A container that does not end in time is
/// stopped and removed.
pub(super) async fn run(
    reached: &Reached,
    one_off: &OneOff<'_>,
    words: &[String],
    timeout: Duration,
    events: &Events,
) -> Result<(u32, Vec<String>), HostError> {
    let name = one_off.name(&random_suffix().map_err(HostError::Fact)?);
    let deadline = Deadline::Total(timeout);
    let ended = stream(reached, one_off.run(&name, words), deadline, events).await;
    if let Err(error) = &ended
        && !reached.has_lost(error)
    {
        // Docker's client is gone, and the container goes on without it.
        remove(reached, &name, one_off.spec.stop_timeout).await?;
    }
    ended
}

/// What a container's name ends with, so that no other one has it.
pub fn random_suffix() -> Result<String, String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(hex::encode(bytes))
}

/// Removes the containers that commands of a release's recipe have left on a host.
pub async fn remove_left_of(reached: &Reached, one_off: &OneOff<'_>) -> Result<(), HostError> {
    let all = docker::list_containers(one_off.environment);
    let containers = reached.read(all, docker::parse_containers).await?;
    let is_of_recipe = |container: &&Container| {
        let recipe = container.labels.get(docker::label::RECIPE);
        OneOffFor::Command.is_of(container) && recipe.is_some_and(|it| it == one_off.recipe)
    };
    for container in containers.iter().filter(is_of_recipe) {
        remove(reached, &container.name, container.stop_timeout).await?;
    }
    Ok(())
}

/// Removes the containers that commands of earlier runs have left on a host. Only for whoever holds the lock: then
/// nobody waits for them any more.
pub async fn remove_left(
    reached: &Reached,
    containers: &[Container],
    events: &Events,
) -> Result<(), HostError> {
    let left = containers.iter();
    for container in left.filter(|it| OneOffFor::Command.is_of(it)) {
        remove(reached, &container.name, container.stop_timeout).await?;
        events.send(EventKind::Warning {
            host: Some(reached.name().to_string()),
            message: format!(
                "removed `{}`, in which a command of a run that was cut off was at work",
                container.name
            ),
            hint: None,
        });
    }
    Ok(())
}

/// Stops a container and removes it. With `--rm` docker removes it as soon as it has stopped.
async fn remove(reached: &Reached, name: &str, stop_timeout: Duration) -> Result<(), HostError> {
    let stop = docker::stop(name);
    reached
        .expect_of_those_there(stop, stop_timeout + QUICK)
        .await?;
    remove_now(reached, name).await
}

/// Removes a container, whatever runs in it. Fine if it is not there, or docker is at it.
pub async fn remove_now(reached: &Reached, name: &str) -> Result<(), HostError> {
    let removed = reached.run(docker::remove(name), QUICK).await?;
    if removed.status == 0 || docker::is_only_missing(&removed.stderr) || is_going(&removed.stderr)
    {
        return Ok(());
    }
    Err(crate::hosts::failed(format!("docker rm {name}"), &removed))
}

/// Whether docker is removing it already, as `--rm` asks.
fn is_going(complaint: &str) -> bool {
    complaint.contains("is already in progress")
}
