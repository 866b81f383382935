//! What uses sealed values.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Environment, Name, SecretSource};

/// What uses each sealed value, as a person reads it.
pub type Users = BTreeMap<Name, BTreeSet<String>>;

/// Adds what an environment's files name.
pub fn add_users(environment: &Environment, users: &mut Users) {
    let mut used_by = |source: &SecretSource, user: &str| {
        if let SecretSource::Sealed(name) = source {
            let user = format!("{user} ({})", environment.name);
            users.entry(name.clone()).or_default().insert(user);
        }
    };
    for recipe in &environment.recipes {
        for source in recipe.by_host.values().flat_map(|on| on.secrets.values()) {
            used_by(source, &recipe.name);
        }
    }
    for login in &environment.registries {
        used_by(&login.password, &login.server);
    }
    if let Some(token) = &environment.consul.token {
        used_by(token, "the token of [consul]");
    }
    if let Some(key) = &environment.state_key {
        used_by(key, "the key of [state]");
    }
}
