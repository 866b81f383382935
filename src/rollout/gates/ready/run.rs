//! `ready.run`: a command on the host exits 0.

use super::container::CheckedContainer;
use crate::{
    command::RemoteCommand,
    hosts::HostError,
    rollout::{
        gates::observation::{LOOK, holds, not_yet},
        machine::Observation,
    },
    text,
};

/// Runs the command once.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    let placement = checked.placement;
    let Some(script) = &placement.host_recipe.ready.run else {
        return Ok(None);
    };
    let script = script
        .render(&placement.late_values(checked.side))
        .map_err(|error| HostError::Fact(error.to_string()))?;
    let command = RemoteCommand::shell(script);
    let output = placement.reached.run(command, LOOK).await?;
    if output.status == 0 {
        return Ok(Some(holds("")));
    }
    let said = text::reason(if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    });
    Ok(Some(not_yet(format!(
        "`ready.run` exits with {}: {said}",
        output.status
    ))))
}
