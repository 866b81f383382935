//! What runs on the hosts now, as values for the plan, and the commands and parsers that read it.

pub mod backends;
pub mod connections;
pub mod ports;
pub mod responses;
pub mod routes;
mod sockets;

use std::collections::{BTreeMap, BTreeSet};

use self::ports::TakenPort;
use crate::{
    docker::{Container, HIGHEST_RELEASE},
    model::{HostName, Name},
};

/// What runs on every host that was looked at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By host; a host that is missing was not looked at.
    pub hosts: BTreeMap<HostName, HostFacts>,
}

/// What is on one host.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// The containers of this environment, running or not.
    pub containers: Vec<Container>,
    /// Those of the recipes that a preview shares with its base.
    pub shared: Vec<Container>,
    /// The names of all containers, each with its environment; empty for a container that shipit did not
    /// make.
    pub names: BTreeMap<String, String>,
    /// The ports that are taken, by containers or by other programs.
    pub taken_ports: Vec<TakenPort>,
    /// The host ports of services that an interrupted deploy of ours left in maintenance mode.
    pub left_in_maintenance: BTreeSet<u16>,
    /// What balancers here that are told of their backends have: their file, or what they print. By the balancer's recipe
    /// and its container; without a container the host's own.
    pub lists: BTreeMap<(Name, Option<String>), String>,
}

impl HostFacts {
    /// The containers of one recipe, newest release first.
    pub fn of_recipe(&self, recipe: &str) -> Vec<&Container> {
        Self::newest_first(&self.containers, recipe)
    }

    /// The same for a recipe that is the environment's own, or its base's.
    pub fn of_own_or_shared(&self, recipe: &str) -> Vec<&Container> {
        match self.of_recipe(recipe) {
            none if none.is_empty() => Self::newest_first(&self.shared, recipe),
            own => own,
        }
    }

    fn newest_first<'a>(containers: &'a [Container], recipe: &str) -> Vec<&'a Container> {
        let mut found: Vec<_> = containers
            .iter()
            .filter_map(|container| Some((container.identity()?, container)))
            .filter(|(identity, _)| identity.recipe == recipe)
            .collect();
        found.sort_by_key(|(identity, container)| {
            (std::cmp::Reverse(identity.release), container.name.clone())
        });
        found.into_iter().map(|(_, container)| container).collect()
    }
}

impl Facts {
    /// The names of the containers that run for a recipe on a host, which a preview may share with its base.
    pub fn serving(&self, host: &HostName, recipe: &str) -> Vec<String> {
        let facts = self.hosts.get(host);
        let of_recipe = facts.map(|facts| facts.of_own_or_shared(recipe));
        let running = of_recipe.into_iter().flatten();
        let running = running.filter(|container| container.state.running);
        running.map(|container| container.name.clone()).collect()
    }

    /// The image that a container on a host was made from; empty where it is not there.
    pub fn image_of(&self, host: &HostName, container: &str) -> String {
        let containers = self.hosts.get(host).map(|facts| &facts.containers);
        let mut containers = containers.into_iter().flatten();
        let found = containers.find(|found| found.name == container);
        found.map(|found| found.image.clone()).unwrap_or_default()
    }

    /// The highest release number on any container; 0 when there is none. One that no deploy can have reached does
    /// not count.
    pub fn newest_label(&self) -> u64 {
        self.hosts
            .values()
            .flat_map(|host| &host.containers)
            .filter_map(Container::identity)
            .map(|identity| identity.release)
            .filter(|release| *release <= HIGHEST_RELEASE)
            .max()
            .unwrap_or(0)
    }
}

/// Reads what [`crate::docker::list_names`] printed.
pub fn parse_names(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let mut columns = line.splitn(3, ' ');
            let names = columns.next().unwrap_or_default();
            let environment = columns.next().unwrap_or_default();
            // A linked container has several names, separated by commas; its own has no slash.
            let name = names
                .split(',')
                .find(|name| !name.contains('/'))
                .filter(|name| !name.is_empty())?;
            Some((name.to_owned(), environment.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_their_environment_or_none() {
        let names =
            parse_names("web-r1 staging 80/tcp, 81/tcp\nold-thing  80/tcp\nweb/db,db  \n\n");
        let expected = [("db", ""), ("old-thing", ""), ("web-r1", "staging")];
        assert_eq!(
            names,
            expected
                .map(|(name, environment)| (name.into(), environment.into()))
                .into()
        );
    }
}
