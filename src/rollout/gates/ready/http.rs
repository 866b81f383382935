//! `ready.http`: a GET is answered as it should be.

use hyper::Method;

use super::container::CheckedContainer;
use crate::{
    hosts::HostError,
    http,
    model::{HostAndPort, HttpReady},
    rollout::{
        gates::observation::{LOOK, first_line, holds, never, not_yet},
        machine::Observation,
    },
    text,
};

/// Sends one request through the host.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    match &checked.placement.host_recipe.ready.http {
        None => Ok(None),
        Some(check) => Ok(Some(get(checked, check).await)),
    }
}

async fn get(checked: &CheckedContainer<'_>, check: &HttpReady) -> Observation {
    let Some(target) = checked.dial(check.port) else {
        let name = &checked.container.name;
        return never(match check.port {
            Some(port) => format!("port {port} of `{name}` is not published"),
            None => {
                format!("`{name}` does not publish exactly one port: `ready.http` needs `port`")
            }
        });
    };
    let reached = &checked.placement.reached;
    let failed = |error: &dyn std::error::Error| {
        let chain = text::chain(error).join(": ");
        not_yet(format!("GET {}: {chain}", check.path))
    };
    let tunnel = match reached
        .session
        .tunnel(&target.host, target.port, LOOK)
        .await
    {
        Ok(tunnel) => tunnel,
        Err(error) => return failed(&error),
    };
    let authority = HostAndPort::new(&*reached.host.address, target.port).to_string();
    let asked = http::request(tunnel, &authority, Method::GET, &check.path, None, LOOK);
    let answer = match asked.await {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let is_fine = check
        .status
        .map_or((200..400).contains(&answer.status), |status| {
            status == answer.status
        });
    if is_fine {
        return holds("");
    }
    not_yet(format!(
        "GET {} answered {}: {}",
        check.path,
        answer.status,
        first_line(&answer.body)
    ))
}
