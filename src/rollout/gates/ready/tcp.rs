//! `ready.tcp`: a port accepts connections.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::container::CheckedContainer;
use crate::{
    hosts::HostError,
    rollout::{
        gates::observation::{LOOK, holds, not_yet},
        machine::Observation,
    },
    text,
};

/// Connects to the port through the host.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    let Some(port) = checked.placement.host_recipe.ready.tcp else {
        return Ok(None);
    };
    Ok(Some(match connect(checked, port).await {
        Ok(()) => holds(""),
        Err(detail) => not_yet(detail),
    }))
}

async fn connect(checked: &CheckedContainer<'_>, port: u16) -> Result<(), String> {
    let target = checked
        .dial(Some(port))
        .ok_or_else(|| format!("port {port} is not published"))?;
    let refused =
        |error: &dyn std::error::Error| format!("{target}: {}", text::chain(error).join(": "));
    let session = &checked.placement.reached.session;
    let mut tunnel = session
        .tunnel(&target.host, target.port, LOOK)
        .await
        .map_err(|error| refused(&error))?;
    // Docker's own proxy accepts for a container that does not, and hangs up at once.
    let mut byte = [0];
    match tokio::time::timeout(Duration::from_millis(200), tunnel.read(&mut byte)).await {
        Ok(Ok(0)) => Err(format!("{target} hangs up at once")),
        Ok(Err(error)) => Err(refused(&error)),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}
