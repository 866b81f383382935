//! The records that a release leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Environment, HostName, Name},
    plan::{Desired, DesiredState, Scope},
    release::{History, RecipeRecord, Record},
};

/// The hashes of the specs as the containers carry them, by recipe and host.
pub type Hashes = BTreeMap<(Name, HostName), String>;

/// Recipes, each on a host.
pub type Places = BTreeSet<(Name, HostName)>;

/// One record for each host of a release: what is wanted there, even if that is nothing. For recipes outside the
/// scope, and where they are left alone, it says what the host had before.
pub fn records(
    environment: &Environment,
    template: &Record,
    scope: &Scope,
    desired: &DesiredState,
    history: &History,
    (hashes, left_alone): (&Hashes, &Places),
) -> Vec<Record> {
    // The lock host gets a record of every release, also of one that is limited to other hosts. So whoever holds
    // the lock finds the next free number, whichever other hosts it reaches.
    let lock_host = &environment.lock_host().name;
    let hosts = environment
        .hosts
        .iter()
        .map(|host| &host.name)
        .filter(|host| scope.has_host(host) || *host == lock_host);
    let record_of = |host: &HostName| {
        let before = history.recent_successes(host, 1).next();
        let mut recipes = before
            .map(|record| record.recipes.clone())
            .unwrap_or_default();
        let replaced = |name: &Name| {
            let is_left_alone = left_alone.contains(&(name.clone(), host.clone()));
            scope.has_host(host) && scope.has_recipe(name) && !is_left_alone
        };
        recipes.retain(|name, _| name.parse().is_ok_and(|name| !replaced(&name)));
        for (recipe, on) in desired.iter().filter(|(recipe, _)| replaced(recipe)) {
            let Some(wanted) = on.get(host) else { continue };
            let hash = hashes
                .get(&(recipe.clone(), host.clone()))
                .cloned()
                .or_else(|| wanted.unread.clone())
                .unwrap_or_default();
            let Desired {
                spec,
                image,
                instances,
                secrets: _,
                unread: _,
                stopped,
            } = wanted.clone();
            recipes.insert(
                recipe.to_string(),
                RecipeRecord {
                    spec,
                    image,
                    instances,
                    hash,
                    stopped,
                },
            );
        }
        Record {
            host: host.clone(),
            recipes,
            ..template.clone()
        }
    };
    hosts.map(record_of).collect()
}
