//! A recipe file as it is written.

mod container;
mod ready;
mod register;
mod rollout;
mod task;
mod traffic;

pub use container::ContainerSection;
pub(crate) use container::container_keys;
pub use ready::{HttpCheck, HttpSection, ReadySection};
pub(crate) use ready::{http_keys, ready_keys};
pub use register::{ConsulServiceSection, RegisterSection};
pub use rollout::RolloutSection;
pub(crate) use rollout::rollout_keys;
pub use task::{TaskSection, UploadSection};
pub use traffic::{BackendsSection, BalancerSection, DrainSection, ProbeSection};

use super::{
    section::section,
    values::{Entries, OneOrMany, VarValue},
};
use crate::diagnostic::Located;

section! {
    /// One container and/or commands, where they run and how they roll out.
    "the recipe" Recipe {
        /// One line on what it is.
        description: String,
        /// Where it runs: a group, a host, `"all"`, or a list of those.
        #[needed = "needed"]
        hosts: OneOrMany<String>,
        /// The recipes that must be up before this one.
        requires: Vec<Located<String>>,
        /// Defaults for vars; the inventory, groups, hosts and `--set` override them.
        vars: Entries<VarValue>,
        /// The container. A recipe without one is a list of commands.
        container: ContainerSection,
        /// Commands before the container starts.
        before: Vec<Located<TaskSection>>,
        /// Commands after the container has started and before it must be ready.
        after: Vec<Located<TaskSection>>,
        /// The commands of a recipe without a container.
        commands: Vec<Located<TaskSection>>,
        /// When a new container counts as ready.
        ready: ReadySection,
        /// How containers are replaced.
        rollout: RolloutSection,
        /// Where shipit itself registers a container once it is ready.
        register: RegisterSection,
        /// How traffic is taken away from a container before it is stopped.
        drain: DrainSection,
        /// Says that this recipe is a load balancer: its container, or without one what runs on its hosts.
        balancer: BalancerSection,
        /// Requests sent during a rollout, to prove that none is lost.
        probe: ProbeSection,
    }
}
