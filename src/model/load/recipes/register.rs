//! `[register]`.

use super::super::scope::{Resolver, Settle, meaning};
use crate::{
    config::recipe::{ConsulServiceSection, Recipe as Raw},
    diagnostic::{Place, Problem},
    model::ConsulService,
};

/// How a container is registered on one host.
pub(super) fn resolve(raw: &Raw, resolver: &mut Resolver<'_>) -> Option<ConsulService> {
    let register = raw.register.as_ref()?;
    let mut needs = |table: &str, key: &str, place: &Place| {
        resolver.problems.push(
            Problem::error(format!("`[{table}]` has no `{key}`"))
                .at(place, format!("`{key}` is missing")),
        );
    };
    let Some(section) = &register.value.consul else {
        needs("register", "consul", &register.place);
        return None;
    };
    let ConsulServiceSection {
        name,
        tags,
        check,
        interval,
    } = &section.value;
    let Some(name) = name else {
        needs("register.consul", "name", &section.place);
        return None;
    };
    Some(ConsulService {
        name: meaning(name, resolver),
        tags: tags
            .as_ref()
            .map_or_else(Vec::new, |tags| meaning(tags, resolver)),
        check: check.settle(resolver),
        interval: interval.value().0,
    })
}
