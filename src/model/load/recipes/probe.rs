//! `[probe]`.

use std::time::Duration;

use super::{
    super::{hosts::Members, scope::Resolver},
    ready,
    rollout::duration,
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
    let address = resolver.line(url);
    let has_rendered = resolver.problems.iter().count() == errors_before;
    let rest = address.strip_prefix("http://").unwrap_or_default();
    if has_rendered && rest.is_empty() {
        resolver.problems.push(
            Problem::error(format!("`{address}` is not an `http://` URL"))
                .at(&url.place, "expected `http://…`"),
        );
    }
    if let Some(rate) = rate.as_ref().filter(|rate| rate.value == 0) {
        resolver
            .problems
            .push(Problem::error("no requests a second").at(&rate.place, "at least 1"));
    }
    if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value.0.is_zero()) {
        resolver
            .problems
            .push(Problem::error("no time to answer").at(&timeout.place, "more than `0s`"));
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
        rate: rate.as_ref().map_or(20, |rate| rate.value),
        status: ready::status(status.as_ref(), resolver.problems),
        budget: budget.as_ref().map_or(0, |budget| budget.value),
        timeout: duration(timeout.as_ref(), Duration::from_secs(5)),
        through,
    })
}
