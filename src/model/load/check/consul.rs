//! What Consul and balancers will not see as the recipe means it.

use std::net::IpAddr;

use super::super::hosts::Members;
use crate::{
    config::recipe::Recipe as Raw,
    diagnostic::{Problem, Problems},
    model::{ConsulReady, HostRecipe, Recipe},
};

/// Consul and balancers know a container by its host's address, and compare it as it is written.
pub(super) fn warn_named_hosts(
    raw: &Raw,
    recipe: &Recipe,
    members: &Members,
    problems: &mut Problems,
) {
    let waits_for_service =
        |on: &HostRecipe| matches!(on.ready.consul, Some(ConsulReady::Service(_)));
    let consul = raw.ready.as_ref().and_then(|ready| ready.consul.as_ref());
    let consul = consul.filter(|_| recipe.by_host.values().any(waits_for_service));
    let drain = raw.drain.as_ref();
    let uses = [
        (
            consul.map(|consul| &consul.place),
            "Consul's service is looked up by this address",
        ),
        (
            drain.map(|drain| &drain.place),
            "the balancers' routes are matched against this address",
        ),
    ];
    for (place, use_of_it) in uses {
        let Some(place) = place else {
            continue;
        };
        let own = members
            .hosts
            .iter()
            .filter(|member| recipe.hosts.contains(&member.host.name));
        for member in own.filter(|member| member.host.address.parse::<IpAddr>().is_err()) {
            let written = &member.written;
            problems.push(
                Problem::warning(format!(
                    "`{}` is not an IP address; Consul and balancers probably use one",
                    written.value
                ))
                .at(&written.place, "compared as it is written")
                .at(place, use_of_it)
                .hint(
                    "put the IP address here; where SSH needs a name, `Host IP` with `HostName NAME` in ssh_config",
                ),
            );
        }
    }
}

/// A drain takes a container out of Consul first, which its name does not tell; a deploy without an agent is
/// refused.
pub(super) fn warn_without_consul(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let through_consul = recipe.drain.as_ref().is_some_and(|it| it.through_consul);
    if let Some(drain) = raw.drain.as_ref().filter(|_| through_consul) {
        problems.push(
            Problem::warning("`[drain]` asks Consul, and nothing here says that the hosts have it")
                .at(&drain.place, "asks the agent of each host")
                .hint(
                    "add a recipe of Consul with `[ready] consul = \"leader\"`; or, where the hosts have an agent already, `[consul] address = \"127.0.0.1:8500\"` in the inventory",
                ),
        );
    }
}

/// Consul reports a service without a check as passing from its first moment.
pub(super) fn warn_unchecked_service(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(consul) = raw.ready.as_ref().and_then(|ready| ready.consul.as_ref()) else {
        return;
    };
    let is_unchecked = recipe.by_host.values().any(|on| {
        let is_service = matches!(on.ready.consul, Some(ConsulReady::Service(_)));
        let has_check = on.container.as_ref().is_some_and(|container| {
            let names = container.env.keys().chain(container.secrets.iter());
            names.into_iter().any(|name| names_check(name))
        });
        is_service && !has_check
    });
    if is_unchecked {
        problems.push(
            Problem::warning("the service has no check in Consul, so it counts as ready too soon")
                .at(&consul.place, "passes as soon as it is registered")
                .hint("add `SERVICE_CHECK_HTTP = \"/health\"` to `env`, or another of Registrator's checks"),
        );
    }
}

/// Whether Registrator reads a check from the variable: `SERVICE_CHECK_…` or `SERVICE_<port>_CHECK_…`.
fn names_check(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("SERVICE_") else {
        return false;
    };
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    rest.starts_with("CHECK_")
        || rest
            .split_once('_')
            .is_some_and(|(port, rest)| is_port(port) && rest.starts_with("CHECK_"))
}
