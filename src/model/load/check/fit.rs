//! Whether the parts of a recipe fit together.

use crate::{
    config::{
        recipe::{ContainerSection, Recipe as Raw},
        values::Order,
    },
    diagnostic::{Problem, Problems},
    model::{self, ContainerSpec, Recipe},
};

/// Whether the parts of a recipe fit together.
pub(super) fn check_fit(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(container) = &raw.container else {
        return;
    };
    let publish = container.publish.as_ref().map(|publish| &publish.place);
    let has_fixed_port = recipe.containers().any(ContainerSpec::publishes_fixed_port);

    check_foreign_network(container, recipe, problems);
    check_healthcheck(container, recipe, problems);

    let rollout = raw.rollout.as_ref();
    let order = rollout.and_then(|rollout| rollout.order.as_ref());
    if let Some(order) = order.filter(|order| order.value != Order::StopFirst)
        && let Some(publish) = publish.filter(|_| has_fixed_port)
    {
        let word = match order.value {
            Order::BlueGreen => "blue-green",
            Order::StartFirst | Order::StopFirst => "start-first",
        };
        problems.push(
            Problem::error(format!("`{word}` with a fixed published port: the new container cannot have the port while the old one holds it"))
                .at(&order.place, "both would run at once")
                .at(publish, "one port on the host")
                .hint("use `order = \"stop-first\"`, or `publish = [\"auto:PORT\"]` behind a balancer"),
        );
    }
    let has_several = recipe.by_host.values().any(|on| on.instances > 1);
    if let Some(instances) = container.instances.written().filter(|_| has_several)
        && let Some(publish) = publish.filter(|_| has_fixed_port)
    {
        problems.push(
            Problem::error("several instances with a fixed published port: only one can have it")
                .at(&instances.place, "containers on each host")
                .at(publish, "one port on the host")
                .hint("use `publish = [\"auto:PORT\"]` behind a balancer"),
        );
    }
    let slots = recipe.instances();
    if let Some(canary) = rollout.and_then(|rollout| rollout.canary.written())
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
    let stops_first = match recipe.rollout.order {
        Some(order) => order == model::Order::StopFirst,
        None => recipe.containers().any(ContainerSpec::needs_port_alone),
    };
    let is_all_at_once =
        recipe.rollout.canary == 0 && slots > 1 && recipe.rollout.max_parallel.of(slots) >= slots;
    if stops_first
        && is_all_at_once
        && recipe.drain.is_some()
        && let Some(parallel) = rollout.and_then(|rollout| rollout.max_parallel.place())
    {
        problems.push(
            Problem::warning(format!(
                "all {slots} containers stop before new ones start: no balancer has one to route to meanwhile"
            ))
            .at(parallel, "as many as there are")
            .hint("`max_parallel = 1` has the others serve; start-first needs `publish = [\"auto:PORT\"]`"),
        );
    }
}

/// In another container's network that one has the name and the ports.
fn check_foreign_network(section: &ContainerSection, recipe: &Recipe, problems: &mut Problems) {
    let mut specs = recipe.containers();
    let is_refused = |spec: &ContainerSpec| {
        spec.network
            .as_deref()
            .is_some_and(|it| it.starts_with("container:"))
            && (spec.publish_all || !spec.publish.is_empty() || spec.hostname.is_some())
    };
    if let Some(network) = section.network.as_ref().filter(|_| specs.any(is_refused)) {
        problems.push(
            Problem::error(
                "ports and a host name in another container's network: docker refuses them",
            )
            .at(&network.place, "it has its own")
            .hint("publish the ports of that container; or leave `network` away"),
        );
    }
}

fn check_healthcheck(section: &ContainerSection, recipe: &Recipe, problems: &mut Problems) {
    let mut specs = recipe.containers();
    let is_refused = |spec: &ContainerSpec| {
        let has = |start: &str| spec.options.iter().any(|option| option.starts_with(start));
        has("--no-healthcheck") && has("--health-")
    };
    if let Some(options) = section.options.as_ref().filter(|_| specs.any(is_refused)) {
        problems.push(
            Problem::error("`--no-healthcheck` beside a healthcheck: docker refuses both together")
                .at(&options.place, "only one of them"),
        );
    }
}
