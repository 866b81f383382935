//! What `status` shows.

use jiff::Timestamp;
use serde::Serialize;

use super::{look::ReleaseRow, preview::PreviewRow, rows::Severity};

/// What an environment has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its newest release, however that ended.
    pub release: Option<ReleaseRow>,
    /// The lasting lock, if there is one.
    pub lock: Option<LockRow>,
    /// What runs and what should run, recipe by recipe.
    pub instances: Vec<InstanceRow>,
    /// Its previews, the newest first; empty where its inventory has no `[previews]`.
    pub previews: Vec<PreviewRow>,
    /// The hosts that were not read: nothing is known of them.
    pub unread: Vec<String>,
}

impl Status {
    /// Whether the environment has no release and no container yet, as far as its hosts were read.
    pub fn is_before_the_first_deploy(&self) -> bool {
        let mut instances = self.instances.iter();
        self.release.is_none()
            && self.unread.is_empty()
            && instances.all(|instance| instance.container.is_none())
    }
}

/// The lock that `shipit lock` placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockRow {
    /// Who placed it, and from where.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub message: String,
}

/// A container that runs, or should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceRow {
    /// The recipe.
    pub recipe: String,
    /// The host.
    pub host: String,
    /// The container; `null` where there is none.
    pub container: Option<String>,
    /// The release that made it, `r41`.
    pub release: Option<String>,
    /// The version, as it was typed: the image's tag, or the beginning of its digest.
    pub version: Option<String>,
    /// The image, as it was typed.
    pub image: Option<String>,
    /// `missing`, `stopped` by `shipit stop`, or as docker has it: `running`, `restarting`, `exited`, `created`, `paused`, `dead`.
    pub state: String,
    /// What it exited with, if it did.
    pub exit_code: Option<i64>,
    /// Since when it is in that state.
    pub since: Option<Timestamp>,
    /// Who has stopped it, from where, if it is to stay stopped.
    pub stopped_by: Option<String>,
    /// What docker's healthcheck says: `starting`, `healthy`, `unhealthy`; `null` without one.
    pub docker_health: Option<String>,
    /// What Consul says: `passing`, `critical: …`, `warning: …`, `not registered`, `unknown: …`, and of its own servers
    /// `has a leader` or `no leader`; `null` where nobody asks Consul about it.
    pub consul_health: Option<String>,
    /// Each container of a balancer that should route to it, and whether it does.
    pub routes: Vec<RouteRow>,
    /// The address under which balancers reach it.
    pub address: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

/// Whether a balancer routes to a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RouteRow {
    /// The balancer's recipe.
    pub balancer: String,
    /// The host that the balancer runs on.
    pub host: String,
    /// Whether it does; `null` where it cannot be asked.
    pub routed: Option<bool>,
    /// Why it cannot be asked.
    pub error: Option<String>,
}

/// How the status is shown to people; JSON always has everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusForm {
    /// A line for each container, with everything, cut nowhere.
    pub is_wide: bool,
    /// It takes the place of the one before.
    pub redraws: bool,
}
