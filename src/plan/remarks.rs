//! Warnings about a plan, and obstacles to it: what it costs, what is missing, what is in the way.

use std::collections::BTreeMap;

use super::{
    changes::{Change, Plan, RecipePlan, Remark},
    input::Input,
};
use crate::{
    command::typed,
    docker::Container,
    model::{HostName, Order, Recipe},
    text,
};

/// Balancers with a fixed port cannot be replaced without a gap unless another one serves meanwhile.
pub(super) fn warn_of_lost_requests(
    recipe: &Recipe,
    plan: &RecipePlan,
    warnings: &mut Vec<Remark>,
) {
    let is_balancer = recipe.by_host.values().any(|on| on.balancer.is_some());
    let replaced: Vec<_> = plan
        .changes()
        .filter(|slot| slot.change == Change::Replace)
        .collect();
    if !is_balancer || plan.order != Order::StopFirst || replaced.is_empty() {
        return;
    }
    if recipe.hosts.len() == 1 {
        warnings.push(Remark {
            host: replaced.first().map(|slot| slot.host.clone()),
            message: format!(
                "`{}` is the only balancer and has a fixed port: requests are refused while it is replaced",
                recipe.name
            ),
            hint: Some("add a second host to its group, so that balancers are replaced one at a time".into()),
        });
    } else if recipe
        .rollout
        .max_parallel
        .of(replaced.len())
        .min(replaced.len())
        >= recipe.hosts.len()
    {
        warnings.push(Remark {
            host: None,
            message: format!(
                "all balancers of `{}` have a fixed port and are replaced at once: requests are refused meanwhile",
                recipe.name
            ),
            hint: Some("`max_parallel = 1` under [rollout] replaces them one at a time".into()),
        });
    }
}

/// With blue-green no client sees the old version after the new one. What keeps that from being whole is said.
pub(super) fn warn_of_mixed_versions(
    input: &Input,
    recipe: &Recipe,
    plan: &RecipePlan,
    warnings: &mut Vec<Remark>,
) {
    let mut replaces = plan.changes().filter(|slot| slot.change == Change::Replace);
    if plan.order != Order::BlueGreen || replaces.next().is_none() {
        return;
    }
    let name = &recipe.name;
    let balancers = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    let balancers = balancers.filter_map(|name| input.environment.recipe(name));
    let views = balancers.flat_map(|balancer| &balancer.by_host);
    let views: Vec<_> = views.filter_map(|(_, on)| on.balancer.as_ref()).collect();
    let leaves = recipe.by_host.values().any(|on| on.leave.is_some());
    let message = if leaves {
        format!(
            "`{name}` leaves by `[drain] run`: both versions answer from when the first new container is well until all are"
        )
    } else if recipe.is_registered() || views.iter().any(|it| it.backends.is_none()) {
        format!("`{name}` is switched container by container: both versions answer for a moment")
    } else if views.len() > 1 {
        format!(
            "`{name}` is behind {} balancers, switched side by side: for a moment they differ",
            views.len()
        )
    } else {
        String::new()
    };
    let left: Vec<_> = recipe
        .hosts
        .iter()
        .filter(|host| !input.scope.has_host(host))
        .collect();
    let left = (!left.is_empty()).then(|| {
        format!(
            "`{name}` on {} is left alone: both versions answer",
            text::list(left)
        )
    });
    let messages = left
        .into_iter()
        .chain(Some(message).filter(|it| !it.is_empty()));
    warnings.extend(messages.map(|message| Remark {
        host: None,
        message,
        hint: None,
    }));
}

/// What an accessory is left without must be known, and how it gets it.
pub(super) fn warn_of_accessory(input: &Input, plan: &RecipePlan, warnings: &mut Vec<Remark>) {
    if plan.left_alone.is_empty() {
        return;
    }
    let (recipe, hosts) = (&plan.recipe, text::list(&plan.left_alone));
    warnings.push(Remark {
        host: None,
        message: format!(
            "`{recipe}` has changed on {hosts} and is left alone: an accessory is changed only by its name"
        ),
        hint: Some(format!("shipit deploy {} {recipe}", input.environment.name)),
    });
}

/// Consul's servers go one at a time, while all others are there: more than one stop of them would wait for a server
/// that was stopped just before.
pub(super) fn check_stops_of_servers(
    input: &Input,
    recipe: &Recipe,
    plan: &RecipePlan,
    obstacles: &mut Vec<Remark>,
) {
    let stops = plan.changes().filter(|slot| slot.change == Change::Stop);
    let hosts: Vec<_> = stops.map(|slot| &slot.host).collect();
    let [first, _, ..] = hosts[..] else { return };
    if recipe.is_consul() {
        let (name, environment) = (&recipe.name, &input.environment.name);
        obstacles.push(Remark {
            host: None,
            message: format!(
                "`{name}` on {} are Consul's servers, and a cluster lets one go while all others are there",
                text::list(&hosts)
            ),
            hint: Some(format!(
                "`shipit stop {environment} {name} --limit {first}` stops one, `shipit down {environment}` ends all"
            )),
        });
    }
}

/// Checks a recipe that was not asked for: the recipes that need it must find it running.
pub(super) fn check_recipe_out_of_scope(input: &Input, recipe: &Recipe, plan: &mut Plan) {
    let drains = |other: &&Recipe| {
        let mut balancers = other.drain.iter().flat_map(|drain| &drain.balancers);
        balancers.any(|name| *name == recipe.name)
    };
    // An older release may not need yet what the files require now.
    let needs_it = |other: &&Recipe| {
        let required = !input.prefer_kept && input.environment.requires(other, &recipe.name);
        input.scope.has_recipe(&other.name) && (drains(other) || required)
    };
    let needed_by: Vec<_> = input
        .environment
        .recipes
        .iter()
        .filter(needs_it)
        .map(|other| &other.name)
        .collect();
    let hosts = recipe.hosts.iter();
    let down = hosts.filter(|host| is_down(input, recipe, host));
    let (stopped, fallen): (Vec<_>, Vec<_>) =
        down.partition(|host| input.history.stopped(host, &recipe.name).is_some());
    let environment = &input.environment.name;
    if !recipe.has_container() {
        return;
    }
    if !needed_by.is_empty() && !stopped.is_empty() {
        plan.obstacles.push(Remark {
            host: None,
            message: format!(
                "`{}` was stopped on {}, and {} needs it",
                recipe.name,
                text::list(stopped),
                text::list(&needed_by)
            ),
            hint: Some(format!("shipit start {environment} {}", recipe.name)),
        });
    }
    if fallen.is_empty() {
        return;
    }
    let hosts = text::list(fallen);
    if needed_by.is_empty() {
        plan.warnings.push(Remark {
            host: None,
            message: format!(
                "`{}` does not run on {hosts}, and this deploy leaves it alone",
                recipe.name
            ),
            hint: Some(format!("shipit deploy {environment} {}", recipe.name)),
        });
    } else {
        plan.obstacles.push(Remark {
            host: None,
            message: format!(
                "`{}` does not run on {hosts}, and {} needs it",
                recipe.name,
                text::list(needed_by)
            ),
            hint: Some(format!("shipit deploy {environment}")),
        });
    }
}

/// Checks what a preview shares with its base: nothing of it is started here, so that it must run and be well.
pub(super) fn check_shared_recipes(input: &Input, plan: &mut Plan) {
    let environment = input.environment;
    let Some(preview) = &environment.preview else {
        return;
    };
    let changed = plan.recipes.iter();
    let changed = changed.filter(|plan| plan.changes().next().is_some());
    let changed: Vec<_> = changed
        .filter_map(|plan| environment.recipe(&plan.recipe))
        .collect();
    let shared = environment.shared.iter();
    for recipe in shared.filter(|recipe| recipe.has_container()) {
        let drains = |other: &&&Recipe| {
            let mut balancers = other.drain.iter().flat_map(|drain| &drain.balancers);
            balancers.any(|name| *name == recipe.name)
        };
        let needs_it =
            |other: &&&Recipe| drains(other) || environment.requires(other, &recipe.name);
        let needed_by: Vec<_> = changed.iter().filter(needs_it).collect();
        if needed_by.is_empty() {
            continue;
        }
        let needed_by = text::list(needed_by.iter().map(|other| &other.name));
        let hosts = recipe.hosts.iter();
        let down: Vec<_> = hosts.filter(|host| is_down(input, recipe, host)).collect();
        if !down.is_empty() {
            plan.obstacles.push(Remark {
                host: None,
                message: format!(
                    "`{}` of `{}` does not run on {}, and {needed_by} needs it",
                    recipe.name,
                    preview.base,
                    text::list(down)
                ),
                hint: Some(format!("shipit deploy {}", preview.base)),
            });
        }
        for (host, container) in unhealthy(input, recipe) {
            plan.obstacles.push(Remark {
                host: Some(host.clone()),
                message: format!(
                    "docker says that `{}` of `{}` is unhealthy, and {needed_by} needs it",
                    container.name, preview.base
                ),
                hint: Some(format!("shipit logs {} {}", preview.base, recipe.name)),
            });
        }
    }
}

/// The containers of a recipe that run, and that docker's healthcheck finds fault with.
fn unhealthy<'a>(
    input: &'a Input<'_>,
    recipe: &'a Recipe,
) -> impl Iterator<Item = (&'a HostName, &'a Container)> {
    let hosts = recipe.hosts.iter();
    let facts = hosts.filter_map(|host| Some((host, input.facts.hosts.get(host)?)));
    let containers = facts.flat_map(|(host, facts)| {
        let containers = facts.of_own_or_shared(&recipe.name).into_iter();
        containers.map(move |container| (host, container))
    });
    containers.filter(|(_, container)| {
        let state = &container.state;
        let health = state.health.as_ref();
        state.is_up() && health.is_some_and(|health| health.status == "unhealthy")
    })
}

/// Whether a host that was looked at runs nothing of a recipe.
fn is_down(input: &Input, recipe: &Recipe, host: &HostName) -> bool {
    let facts = input.facts.hosts.get(host);
    facts.is_some_and(|facts| {
        let containers = facts.of_own_or_shared(&recipe.name);
        !containers.iter().any(|container| container.state.is_up())
    })
}

/// Every balancer of a recipe that changes is asked what it routes to, also on hosts that this deploy leaves alone.
pub(super) fn check_balancers_out_of_scope(
    input: &Input,
    recipe: &Recipe,
    plan: &RecipePlan,
    obstacles: &mut Vec<Remark>,
) {
    if plan.changes().next().is_none() {
        return;
    }
    let names = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    for balancer in names.filter_map(|name| input.environment.recipe(name)) {
        let hosts = balancer.hosts.iter();
        let left_alone = hosts.filter(|host| !input.scope.has_host(host));
        let down: Vec<_> = left_alone
            .filter(|host| is_down(input, balancer, host))
            .collect();
        if balancer.has_container() && input.scope.has_recipe(&balancer.name) && !down.is_empty() {
            obstacles.push(Remark {
                host: None,
                message: format!(
                    "`{}` does not run on {}, and {} needs it",
                    balancer.name,
                    text::list(&down),
                    text::list([&recipe.name])
                ),
                hint: Some(format!("shipit deploy {}", input.environment.name)),
            });
        }
    }
}

/// The second container of `web` and the first one of `web-2` may have one name.
pub(super) fn check_for_names_given_twice(plan: &mut Plan) {
    let mut given = BTreeMap::new();
    for recipe in &plan.recipes {
        for slot in &recipe.slots {
            let Some(incoming) = &slot.incoming else {
                continue;
            };
            let name = &incoming.name.active;
            let Some(other) = given.insert((&slot.host, name), &recipe.recipe) else {
                continue;
            };
            plan.obstacles.push(Remark {
                host: Some(slot.host.clone()),
                message: format!(
                    "containers of `{other}` and `{}` would both be called `{name}`",
                    recipe.recipe
                ),
                hint: Some("give one of the two recipes another name".into()),
            });
        }
    }
}

/// Containers of recipes that the environment no longer has keep running until someone removes them.
pub(super) fn warn_of_orphans(input: &Input, warnings: &mut Vec<Remark>) {
    for (host, facts) in &input.facts.hosts {
        for container in facts
            .containers
            .iter()
            .filter(|container| container.state.running)
        {
            let Some(identity) = container.identity() else {
                continue;
            };
            if input.environment.recipe(&identity.recipe).is_none() {
                warnings.push(Remark {
                    host: Some(host.clone()),
                    message: format!(
                        "`{}` runs, but the environment has no recipe `{}` any more",
                        container.name, identity.recipe
                    ),
                    hint: Some(typed("docker rm --force", [&container.name])),
                });
            }
        }
    }
}
