//! `[probe]`.

use super::super::{
    hosts::Members,
    scope::{Resolver, meaning},
};
use crate::{
    config::{
        recipe::{ProbeSection, Recipe as Raw},
        suggest::did_you_mean_or_all,
    },
    diagnostic::Problem,
    model::Probe,
};

/// `[probe]`, which is about no single host.
pub(super) fn resolve(raw: &Raw, members: &Members, resolver: &mut Resolver<'_>) -> Option<Probe> {
    let section = raw.probe.as_ref()?;
    let ProbeSection {
        url,
        rate,
        status,
        budget,
        timeout,
        through,
    } = &section.value;
    let Some(url) = url else {
        resolver
            .problems
            .push(Problem::error("`[probe]` has no url").at(&section.place, "`url` is missing"));
        return None;
    };
    let errors_before = resolver.problems.iter().count();
    let address: String = meaning(url, resolver);
    let has_rendered = resolver.problems.iter().count() == errors_before;
    let rest = address.strip_prefix("http://").unwrap_or_default();
    if has_rendered && rest.is_empty() {
        resolver.problems.push(
            Problem::error(format!("`{address}` is not an `http://` URL"))
                .at(&url.place, "expected `http://…`"),
        );
    }
    let through = through.as_ref().and_then(|text| {
        let names = members.hosts.iter().map(|member| &member.host.name);
        let found = names.clone().find(|name| ***name == *text.value).cloned();
        if found.is_none() {
            resolver.problems.push(
                Problem::error(format!("unknown host `{}`", text.value))
                    .at(&text.place, "not a host of this environment")
                    .hint(did_you_mean_or_all(
                        text,
                        "hosts",
                        names.map(|name| &**name).collect(),
                    )),
            );
        }
        found
    });
    Some(Probe {
        url: address,
        rate: *rate.value(),
        status: status.as_ref().map(|status| status.value),
        budget: *budget.value(),
        timeout: timeout.value().0,
        through,
    })
}
