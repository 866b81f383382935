//! What a plan is made from.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use crate::{
    docker::PinnedImage,
    facts::Facts,
    model::{ContainerSpec, Environment, HostName, Name},
    release::{History, Number, Stopped},
};

/// What a host should run of a recipe.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The resolved spec.
    pub spec: ContainerSpec,
    /// The exact image.
    pub image: PinnedImage,
    /// How many equal containers; at least 1.
    pub instances: u16,
    /// The values of its secrets.
    pub secrets: BTreeMap<String, SecretString>,
    /// The hash that its record has, where the secrets were not read: the dry run of a rollback shows what it can
    /// without them.
    pub unread: Option<String>,
    /// Who wants it to be stopped, where it is not to run.
    pub stopped: Option<Stopped>,
}

/// What is wanted everywhere: by recipe, then by host.
pub type DesiredState = BTreeMap<Name, BTreeMap<HostName, Desired>>;

/// Everything a plan is made from.
pub struct Input<'a> {
    /// The environment's recipes and hosts.
    pub environment: &'a Environment,
    /// What runs now.
    pub facts: &'a Facts,
    /// The releases so far.
    pub history: &'a History,
    /// What is wanted.
    pub desired: &'a DesiredState,
    /// What may be changed.
    pub scope: &'a Scope,
    /// The recipes that the user has named: among them alone accessories are changed.
    pub named: &'a [Name],
    /// The number the release gets if anything changes.
    pub release: Number,
    /// Whether kept containers are preferred to new ones, as in a rollback.
    pub prefer_kept: bool,
    /// Whether containers are replaced that run as wanted, too.
    pub forced: bool,
    /// The commands of recipes without a container whose `unless` says that they are done.
    pub done_tasks: &'a BTreeSet<TaskRef>,
    /// A key for the hashes of new secrets.
    pub new_key: &'a str,
}

impl Input<'_> {
    /// Whether containers are only to be stopped: for that nothing else needs to run.
    pub(super) fn only_stops(&self) -> bool {
        let mut wanted = self.desired.values().flat_map(BTreeMap::values);
        !self.desired.is_empty() && wanted.all(|wanted| wanted.stopped.is_some())
    }
}

/// What a plan may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only these recipes; all when empty.
    pub recipes: Vec<Name>,
    /// Only these hosts; all when empty.
    pub hosts: Vec<HostName>,
}

impl Scope {
    /// Whether it has this recipe.
    pub fn has_recipe(&self, recipe: &Name) -> bool {
        self.recipes.is_empty() || self.recipes.contains(recipe)
    }

    /// Whether it has this host.
    pub fn has_host(&self, host: &HostName) -> bool {
        self.hosts.is_empty() || self.hosts.contains(host)
    }
}

/// One command of a recipe without a container, on one host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskRef {
    /// The recipe.
    pub recipe: Name,
    /// The host.
    pub host: HostName,
    /// Which of the recipe's commands, from 0.
    pub index: usize,
}
