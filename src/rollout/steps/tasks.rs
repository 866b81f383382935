//! The recipe's `before` and `after` commands, around the start of its containers.

use crate::{
    hosts::HostError,
    model::Task,
    rollout::{machine::Side, slot::Placement},
    tasks,
};

/// What the recipe runs once before its rollout begins, such as a migration: before any slot is touched, so
/// that it costs no slot its deadline and no container its service.
pub async fn before_once(placement: &Placement) -> Result<(), HostError> {
    let before = placement.host_recipe.before.iter();
    run(placement, before.filter(|task| task.once)).await
}

/// What the recipe runs before each new container.
pub(super) async fn before(placement: &Placement) -> Result<(), HostError> {
    let before = placement.host_recipe.before.iter();
    run(placement, before.filter(|task| !task.once)).await
}

/// What the recipe runs after a new container has started.
pub(super) async fn after(placement: &Placement) -> Result<(), HostError> {
    let after = placement.host_recipe.after.iter();
    run(
        placement,
        after.filter(|task| !task.once || placement.is_first),
    )
    .await
}

async fn run(placement: &Placement, tasks: impl Iterator<Item = &Task>) -> Result<(), HostError> {
    if !placement.runs_tasks {
        return Ok(());
    }
    let late = placement.late_values(Side::New);
    let context = &placement.context;
    tasks::run_all(
        &placement.reached,
        &context.recipe.name,
        tasks,
        &late,
        &context.events,
    )
    .await
}
