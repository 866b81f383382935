//! `[ready]`, `[rollout]`, `[drain]` and `[probe]`, and whether they fit the container.

use std::{net::IpAddr, time::Duration};

use super::{
    super::{hosts::Members, layer::known_hint, scope::Resolver},
    RawRecipe, order,
};
use crate::{
    config::{
        recipe::{
            DrainSection, HttpSection, ProbeSection, ReadySection, Recipe as Raw, RolloutSection,
        },
        values::{CountValue, DurationValue, UpdateOrder},
    },
    diagnostic::{Located, Place, Problem, Problems},
    model::{
        ConsulReady, ContainerSpec, Count, Drain, HostRecipe, HttpReady, Name, Order, Probe, Ready,
        Recipe, RolloutPolicy,
    },
};

/// `[ready]` for one host.
pub(super) fn ready(
    raw: &Raw,
    container: Option<&ContainerSpec>,
    resolver: &mut Resolver<'_>,
) -> Ready {
    let Some(section) = &raw.ready else {
        return Ready::default();
    };
    let ReadySection {
        http,
        tcp,
        consul,
        healthcheck,
        run,
    } = &section.value;
    if let (Some(http), Some(container)) = (http, container) {
        check_reachable(&http.value.0, &http.place, container, resolver.problems);
    }
    if let Some(tcp) = tcp.as_ref().filter(|tcp| tcp.value == 0) {
        resolver.problems.push(wrong_port(&tcp.place));
    }
    Ready {
        http: http
            .as_ref()
            .map(|http| self::http(&http.value.0, &http.place, resolver)),
        tcp: tcp.as_ref().map(|tcp| tcp.value),
        consul: consul
            .as_ref()
            .map(|text| match resolver.line(text).as_str() {
                "leader" => ConsulReady::Leader,
                service => ConsulReady::Service(service.to_owned()),
            }),
        healthcheck: healthcheck.as_ref().is_some_and(|flag| flag.value),
        run: run.as_ref().map(|run| resolver.command(run)),
    }
}

fn http(section: &HttpSection, place: &Place, resolver: &mut Resolver<'_>) -> HttpReady {
    let HttpSection { path, port, status } = section;
    if path.is_none() {
        resolver
            .problems
            .push(Problem::error("an HTTP check without a path").at(place, "`path` is missing"));
    }
    let text = path
        .as_ref()
        .map_or_else(|| "/".to_owned(), |path| resolver.line(path));
    if !text.starts_with('/') {
        let at = path.as_ref().map_or(place, |path| &path.place);
        resolver.problems.push(
            Problem::error(format!("`{text}` is not a path"))
                .at(at, "expected `/…`")
                .hint("the host and the port are the container's own"),
        );
    }
    if let Some(port) = port.as_ref().filter(|port| port.value == 0) {
        resolver.problems.push(wrong_port(&port.place));
    }
    HttpReady {
        path: text,
        port: port.as_ref().map(|port| port.value),
        status: self::status(status.as_ref(), resolver.problems),
    }
}

fn wrong_port(place: &Place) -> Problem {
    Problem::error("port 0").at(place, "expected 1 to 65535")
}

fn status(status: Option<&Located<u16>>, problems: &mut Problems) -> Option<u16> {
    let status = status?;
    if !(100..=599).contains(&status.value) {
        problems.push(
            Problem::error(format!("`{}` is not an HTTP status", status.value))
                .at(&status.place, "expected 100 to 599"),
        );
    }
    Some(status.value)
}

/// An HTTP check needs a port that the host can reach.
fn check_reachable(
    http: &HttpSection,
    place: &Place,
    container: &ContainerSpec,
    problems: &mut Problems,
) {
    if container.uses_host_network() {
        if http.port.is_none() {
            problems.push(
                Problem::error("an HTTP check on the host's network needs its port")
                    .at(place, "which port?")
                    .hint("write `http = { path = \"/health\", port = 8080 }`"),
            );
        }
    } else if !container.publish_all && container.publish.is_empty() {
        problems.push(
            Problem::error("an HTTP check of a container that publishes no port")
                .at(place, "cannot be reached")
                .hint("add `publish_all = true` or `publish = […]`, or check with `run`"),
        );
    }
}

fn duration(value: Option<&Located<DurationValue>>, default: Duration) -> Duration {
    value.map_or(default, |value| value.value.0)
}

/// `[rollout]`.
pub(super) fn rollout(raw: &Raw, problems: &mut Problems) -> RolloutPolicy {
    let default = RolloutPolicy::default();
    let Some(section) = &raw.rollout else {
        return default;
    };
    let RolloutSection {
        order,
        max_parallel,
        canary,
        auto_promote,
        min_healthy_time,
        healthy_deadline,
        progress_deadline,
        auto_revert,
        max_failures,
    } = &section.value;
    let policy = RolloutPolicy {
        order: order.as_ref().map(|order| match order.value {
            UpdateOrder::StartFirst => Order::StartFirst,
            UpdateOrder::StopFirst => Order::StopFirst,
        }),
        max_parallel: max_parallel.as_ref().map_or(default.max_parallel, |count| {
            match count.value {
                CountValue::Number(number) => Count::Number(number),
                CountValue::Percent(percent) => Count::Percent(percent),
            }
        }),
        canary: canary.as_ref().map_or(default.canary, |value| value.value),
        auto_promote: auto_promote
            .as_ref()
            .map_or(default.auto_promote, |value| value.value),
        min_healthy_time: duration(min_healthy_time.as_ref(), default.min_healthy_time),
        healthy_deadline: duration(healthy_deadline.as_ref(), default.healthy_deadline),
        progress_deadline: duration(progress_deadline.as_ref(), default.progress_deadline),
        auto_revert: auto_revert
            .as_ref()
            .map_or(default.auto_revert, |value| value.value),
        max_failures: max_failures
            .as_ref()
            .map_or(default.max_failures, |value| value.value),
    };
    for (shorter, longer) in [
        (
            (
                "min_healthy_time",
                min_healthy_time,
                policy.min_healthy_time,
            ),
            (
                "healthy_deadline",
                healthy_deadline,
                policy.healthy_deadline,
            ),
        ),
        (
            (
                "healthy_deadline",
                healthy_deadline,
                policy.healthy_deadline,
            ),
            (
                "progress_deadline",
                progress_deadline,
                policy.progress_deadline,
            ),
        ),
    ] {
        if shorter.2 >= longer.2 {
            let at = shorter.1.as_ref().or(longer.1.as_ref());
            let place = at.map_or(&section.place, |at| &at.place);
            problems.push(
                Problem::error(format!(
                    "`{}` ({}) is not shorter than `{}` ({})",
                    shorter.0,
                    shown(shorter.2),
                    longer.0,
                    shown(longer.2)
                ))
                .at(place, "no container could ever be in time")
                .hint("`min_healthy_time` < `healthy_deadline` < `progress_deadline`"),
            );
        }
    }
    policy
}

fn shown(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

/// `[drain]`.
pub(super) fn drain(
    raw: &Raw,
    all: &[RawRecipe],
    files: &[Name],
    problems: &mut Problems,
) -> Option<Drain> {
    let section = raw.drain.as_ref()?;
    let DrainSection {
        balancers,
        wait,
        timeout,
    } = &section.value;
    let mut names = Vec::new();
    for text in balancers.iter().flat_map(|balancers| &balancers.value) {
        let Some(index) = order::position(all, text) else {
            problems
                .push(order::not_here(text, all, files).at(&text.place, "not in this environment"));
            continue;
        };
        let recipe = &all[index];
        if recipe.file.content.balancer.is_none() && recipe.file.is_toml {
            problems.push(
                Problem::error(format!("recipe `{}` is not a balancer", text.value))
                    .at(&text.place, "has no `[balancer]`")
                    .hint(format!(
                        "add `[balancer]` with `upstreams = \"…\"` to `{}`",
                        recipe.file.source.name()
                    )),
            );
        }
        names.push(recipe.name.value.clone());
    }
    Some(Drain {
        balancers: names,
        wait: duration(wait.as_ref(), Duration::from_secs(1)),
        timeout: duration(timeout.as_ref(), Duration::from_secs(30)),
    })
}

/// `[probe]`, which is about no single host.
pub(super) fn probe(raw: &Raw, members: &Members, resolver: &mut Resolver<'_>) -> Option<Probe> {
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
                    .hint(known_hint(
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
        status: self::status(status.as_ref(), resolver.problems),
        budget: budget.as_ref().map_or(0, |budget| budget.value),
        timeout: duration(timeout.as_ref(), Duration::from_secs(5)),
        through,
    })
}

/// Whether the parts of a recipe fit together.
pub(super) fn check(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(container) = &raw.container else {
        return;
    };
    let specs = || recipe.on.values().filter_map(|on| on.container.as_ref());
    let publish = container.publish.as_ref().map(|publish| &publish.place);
    let has_fixed_port = specs().any(ContainerSpec::publishes_fixed_port);

    let rollout = raw.rollout.as_ref();
    let order = rollout.and_then(|rollout| rollout.order.as_ref());
    if let Some(order) = order.filter(|order| order.value == UpdateOrder::StartFirst)
        && let Some(publish) = publish.filter(|_| has_fixed_port)
    {
        problems.push(
            Problem::error("`start-first` with a fixed published port: the new container cannot have the port while the old one holds it")
                .at(&order.place, "both would run at once")
                .at(publish, "one port on the host")
                .hint("use `order = \"stop-first\"`, or `publish_all = true` behind a balancer"),
        );
    }
    if let Some(instances) = container.instances.as_ref().filter(|count| count.value > 1)
        && let Some(publish) = publish.filter(|_| has_fixed_port)
    {
        problems.push(
            Problem::error("several instances with a fixed published port: only one can have it")
                .at(&instances.place, "so many on each host")
                .at(publish, "one port on the host")
                .hint("use `publish_all = true` behind a balancer"),
        );
    }
    let slots: usize = recipe.on.values().map(|on| usize::from(on.instances)).sum();
    if let Some(canary) = rollout.and_then(|rollout| rollout.canary.as_ref())
        && usize::from(canary.value) > slots
    {
        problems.push(
            Problem::warning(format!(
                "{} canaries of {slots} containers: all are replaced at once",
                canary.value
            ))
            .at(&canary.place, "more than there are")
            .hint("`canary = 1` tries one first"),
        );
    }
    warn_unchecked_service(raw, recipe, problems);
}

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
    let consul = consul.filter(|_| recipe.on.values().any(waits_for_service));
    let drain = raw.drain.as_ref();
    let uses = [
        (
            consul.map(|consul| &consul.place),
            "Consul's service is found by it",
        ),
        (
            drain.map(|drain| &drain.place),
            "traffic to it is looked for by it",
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
                    "`{}` is no IP address: Consul and balancers are likely to have another one",
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

/// Consul reports a service without a check as passing from its first moment.
fn warn_unchecked_service(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(consul) = raw.ready.as_ref().and_then(|ready| ready.consul.as_ref()) else {
        return;
    };
    let is_unchecked = recipe.on.values().any(|on| {
        let is_service = matches!(on.ready.consul, Some(ConsulReady::Service(_)));
        let has_check = on.container.as_ref().is_some_and(|container| {
            let names = container.env.keys().chain(container.secrets.keys());
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
