//! The whole way to a host, found before anything is opened: a cycle of jump hosts, or a chain without an
//! end, would otherwise show only once connections wait for each other.

use super::{destination::Destination, error::ConnectError, jump::settings_of_jump};
use crate::{model::SshSettings, transport::openssh::paths::Paths};

/// Jump hosts one behind the other, at most. `ProxyJump x%h` names a new one for every one it leads to.
const MOST_JUMPS: usize = 16;

/// A host and what leads to it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) destination: Destination,
    pub(super) jump: Option<Box<JumpRoute>>,
}

/// The jump host that the last connection goes through, and the way to it.
#[derive(Debug)]
pub(super) struct JumpRoute {
    pub(super) name: String,
    pub(super) route: Route,
}

impl Route {
    pub(super) fn resolve(
        host: &str,
        settings: &SshSettings,
        paths: &Paths,
    ) -> Result<Self, ConnectError> {
        let destination = Destination::resolve(host, settings, paths)?;
        Self::through(destination, settings, paths, &mut Vec::new())
    }

    /// `behind` are the destinations that are reached through this one.
    fn through(
        destination: Destination,
        settings: &SshSettings,
        paths: &Paths,
        behind: &mut Vec<Destination>,
    ) -> Result<Self, ConnectError> {
        let Some((last, before)) = destination.jumps.split_last() else {
            return Ok(Self {
                destination,
                jump: None,
            });
        };
        let name = last.to_string();
        let settings = settings_of_jump(last, before, settings);
        behind.push(destination.clone());
        let next = Destination::resolve(&last.host, &settings, paths).map_err(|error| {
            ConnectError::Jump {
                jump: name.clone(),
                source: error.into(),
            }
        })?;
        if behind.contains(&next) {
            return Err(endless(behind, format!("lead back to {}", next.endpoint)));
        }
        if behind.len() > MOST_JUMPS {
            let reason = format!("are more than {MOST_JUMPS}, one behind the other");
            return Err(endless(behind, reason));
        }
        let route = Self::through(next, &settings, paths, behind)?;
        Ok(Self {
            destination,
            jump: Some(Box::new(JumpRoute { name, route })),
        })
    }
}

fn endless(behind: &[Destination], reason: String) -> ConnectError {
    // A hop of `ProxyJump a,b` has the rest of the list as its own, without a place.
    let named_in = behind
        .iter()
        .rev()
        .find_map(|hop| hop.jumps_named_in.clone());
    ConnectError::EndlessJumps {
        named_in: named_in.unwrap_or_else(|| "proxy_jump".to_owned()),
        host: behind
            .first()
            .map(|host| host.endpoint.to_string())
            .unwrap_or_default(),
        reason,
    }
}
