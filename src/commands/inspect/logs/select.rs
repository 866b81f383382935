//! Whose logs are wanted.

use crate::{
    docker::Container,
    hosts::{Fleet, Reached},
    model::{HostName, Recipe},
    observe::Observed,
    release::Number,
    text,
};

/// A container, and the host that has it.
#[derive(Clone)]
pub struct OnHost<'a> {
    /// The host.
    pub reached: &'a Reached,
    /// The container's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The containers whose logs are wanted: those of a release, or else on each host those that run, or else
/// the newest one there.
pub fn containers<'a>(
    fleet: &'a Fleet,
    observed: &Observed,
    recipes: &[&Recipe],
    release: Option<Number>,
) -> Vec<OnHost<'a>> {
    let mut found = Vec::new();
    for recipe in recipes {
        let hosts = fleet.hosts().iter();
        for reached in hosts.filter(|reached| recipe.hosts.contains(reached.name())) {
            let containers = on_host(reached, observed, recipe, release);
            found.extend(containers.into_iter().map(|container| OnHost {
                reached,
                id: container.id.clone(),
                name: container.name.clone(),
            }));
        }
    }
    found
}

fn on_host<'o>(
    reached: &Reached,
    observed: &'o Observed,
    recipe: &Recipe,
    release: Option<Number>,
) -> Vec<&'o Container> {
    let Some(facts) = observed.facts.hosts.get(reached.name()) else {
        return Vec::new();
    };
    let mut containers = facts.of_recipe(&recipe.name);
    if let Some(number) = release {
        let record = observed.history.record(reached.name(), number);
        let recorded = record.and_then(|record| record.recipes.get(&*recipe.name));
        let spec = recorded.map(|recipe| recipe.hash.as_str());
        containers.retain(|container| is_of_release(container, spec, number));
    } else if containers.iter().any(|container| container.state.running) {
        containers.retain(|container| container.state.running);
    } else {
        containers.truncate(1);
    }
    containers
}

/// Whether a container was made by a release, or is what that release ran again.
fn is_of_release(container: &Container, spec: Option<&str>, number: Number) -> bool {
    container.identity().is_some_and(|identity| {
        identity.release == number.0 || Some(identity.spec.as_str()) == spec
    })
}

/// What is known where no container was found: a host that was not read may have one.
pub fn no_container(of: &str, unread: &[&HostName]) -> String {
    if unread.is_empty() {
        format!("no host has a container{of}")
    } else {
        let unread = text::list(unread);
        format!("no host that answers has a container{of}; not read: {unread}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_read_may_have_a_container() {
        let said = no_container(" of `web`", &[]);
        assert_eq!(said, "no host has a container of `web`");
        let host = HostName::from("host-2");
        let said = no_container(" of `web`", &[&host]);
        let expected = "no host that answers has a container of `web`; not read: `host-2`";
        assert_eq!(said, expected);
    }
}
