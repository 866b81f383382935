//! A plan: what would change, recipe by recipe and slot by slot.

use std::{collections::BTreeSet, fmt};

use super::{
    difference::Difference,
    input::{Desired, TaskRef},
};
use crate::{
    docker::SpecHash,
    model::{Environment, HostName, ListedBackend, Name, Order},
    release::Number,
};

/// What would change.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The release's number, if there is anything to do.
    pub release: Number,
    /// Recipe by recipe, in the order in which they are rolled out.
    pub recipes: Vec<RecipePlan>,
    /// The files with backends of balancers that change.
    pub lists: Vec<ListPlan>,
    /// The containers that requests may go to before anything has changed, of recipes whose balancers are told.
    pub active: Vec<ListedBackend>,
    /// What to know beforehand.
    pub warnings: Vec<Remark>,
    /// Why it cannot be done; nothing may be changed while there is one.
    pub obstacles: Vec<Remark>,
}

impl Plan {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.recipes
            .iter()
            .all(|recipe| recipe.changes().next().is_none() && recipe.tasks.is_empty())
            && !self.lists.iter().any(|list| list.is_drifted)
    }

    /// The hosts where something would change, in the inventory's order.
    pub fn changed_hosts(&self, environment: &Environment) -> Vec<HostName> {
        let changes = |host: &HostName| {
            self.recipes.iter().any(|recipe| {
                recipe.changes().any(|slot| slot.host == *host)
                    || recipe.tasks.iter().any(|task| task.host == *host)
            }) || self.lists.iter().any(|list| list.host == *host)
        };
        environment
            .hosts
            .iter()
            .map(|host| host.name.clone())
            .filter(changes)
            .collect()
    }
}

/// What would change of a file with backends.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// The balancer's recipe.
    pub recipe: Name,
    /// Its host.
    pub host: HostName,
    /// The container that the file is in; `None` for one of the host's.
    pub container: Option<String>,
    /// Its path.
    pub to: String,
    /// What it has; `None` where it is not there.
    pub old: Option<String>,
    /// What it has afterwards. A port that docker has yet to give is shown as that.
    pub new: String,
    /// Whether it is not as what runs now wants it, so that it is written before anything else happens.
    pub is_drifted: bool,
}

/// A fact about a plan and what to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The host it is about, if one.
    pub host: Option<HostName>,
    /// The fact.
    pub message: String,
    /// What to type.
    pub hint: Option<String>,
}

/// What would change of one recipe.
#[derive(Debug, Clone)]
pub struct RecipePlan {
    /// The recipe.
    pub recipe: Name,
    /// Whether the new container starts before the old one stops.
    pub order: Order,
    /// Every place of a container, hosts in the inventory's order.
    pub slots: Vec<SlotPlan>,
    /// The commands to run, for a recipe without a container.
    pub tasks: Vec<TaskRef>,
    /// The hosts where it has changed and is left alone, as it is an accessory that was not named.
    pub left_alone: BTreeSet<HostName>,
}

impl RecipePlan {
    /// The slots where something happens.
    pub fn changes(&self) -> impl Iterator<Item = &SlotPlan> + Clone {
        self.slots.iter().filter(|slot| slot.change != Change::Keep)
    }
}

/// What would happen in one place of a container.
#[derive(Debug, Clone)]
pub struct SlotPlan {
    /// The host.
    pub host: HostName,
    /// Which of the host's equal containers, from 1.
    pub instance: u16,
    /// What happens.
    pub change: Change,
    /// The container that runs here afterwards.
    pub incoming: Option<Incoming>,
    /// The containers that run here now and are stopped. Where a release was cut off and nothing runs, the one
    /// that ran before it: a failure goes back to that one.
    pub outgoing: Vec<ContainerName>,
    /// The restart policy of an outgoing container that is stopped, as docker has lost it; `None` where those run.
    pub outgoing_restart: Option<String>,
    /// Why.
    pub reason: String,
    /// Field by field, what is different.
    pub differences: Vec<Difference>,
}

impl SlotPlan {
    /// Whether a container that runs now is stopped.
    pub fn replaces_a_running_one(&self) -> bool {
        !self.outgoing.is_empty() && self.outgoing_restart.is_none()
    }
}

/// What happens in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: what runs is what is wanted.
    Keep,
    /// A container where none runs.
    Create,
    /// A container in place of another.
    Replace,
    /// The container is there and stopped.
    Start,
    /// The container runs as wanted, but no release has seen that it serves: it is looked at like a new one.
    Confirm,
    /// A container is removed and not replaced.
    Remove,
    /// A container is stopped, to be started another day.
    Stop,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Keep => "keep",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Start => "start",
            Self::Confirm => "confirm",
            Self::Remove => "remove",
            Self::Stop => "stop",
        })
    }
}

/// The two names of a container: while it serves, and while it is kept.
///
/// They differ only where old and new have the same name while they serve (stop-first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerName {
    /// Its name while it serves.
    pub active: String,
    /// Its name while it is kept for a rollback.
    pub retired: String,
}

/// The container that runs in a slot afterwards.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its names.
    pub name: ContainerName,
    /// The release that makes it, or has made it.
    pub made_by: Number,
    /// Whether it exists already and is only started.
    pub exists: bool,
    /// Whether it already runs, and only its settings change. A revert leaves it running.
    pub runs: bool,
    /// What it is made from.
    pub desired: Desired,
    /// The hash of that.
    pub hash: SpecHash,
}
