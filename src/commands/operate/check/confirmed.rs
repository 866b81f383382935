//! Which containers a release has found ready.

use std::collections::BTreeSet;

use crate::{
    docker::Container,
    model::{Environment, HostName, Recipe},
    observe::Observed,
};

/// Whether a release has ended since a container was started, so that it was found ready.
pub fn is_confirmed(
    observed: &Observed,
    host: &HostName,
    recipe: &Recipe,
    container: &Container,
) -> bool {
    let Some(identity) = container.identity() else {
        return false;
    };
    let started = container.state.started_at.parse().ok();
    let hash = identity.spec.as_str();
    let history = &observed.history;
    history
        .unconfirmed(host, &recipe.name, hash, started)
        .is_none()
}

/// The containers that run and that no release has found ready.
pub fn unconfirmed(environment: &Environment, observed: &Observed) -> BTreeSet<(HostName, String)> {
    let mut found = BTreeSet::new();
    for (host, facts) in &observed.facts.hosts {
        for recipe in &environment.recipes {
            let containers = facts.of_recipe(&recipe.name).into_iter();
            let up = containers.filter(|container| container.state.is_up());
            let unconfirmed = up.filter(|it| !is_confirmed(observed, host, recipe, it));
            found.extend(unconfirmed.map(|it| (host.clone(), it.name.clone())));
        }
    }
    found
}
