//! Consul's own servers: whether all are there, so that one may go, and in which order they go.

use super::gates::cluster_is_whole;
use crate::{
    consul::ServiceInstance,
    event::Outcome,
    facts::Facts,
    hosts::{Fleet, HostError, Reached, Run, Stop},
    model::{Environment, HostName, Name, Recipe, is_same_address},
    plan::{Change, Plan, SlotPlan},
    rollout::machine::{Observation, Verdict},
};

/// Where Consul is used and not brought up by this very plan, it must have a leader; where its own servers
/// are replaced, all of them must be there. Asked before anything is changed.
pub async fn consul_is_ready(
    environment: &Environment,
    fleet: &Fleet,
    facts: &Facts,
    plan: &Plan,
) -> Run<()> {
    let changes = |name: &Name| {
        plan.recipes
            .iter()
            .any(|other| other.recipe == *name && other.changes().next().is_some())
    };
    let consul = environment.with_shared().find(|recipe| recipe.is_consul());
    for recipe_plan in plan
        .recipes
        .iter()
        .filter(|recipe_plan| recipe_plan.changes().next().is_some())
    {
        let Some(recipe) = environment.recipe(&recipe_plan.recipe) else {
            continue;
        };
        let replaces = recipe_plan
            .changes()
            .any(|slot| slot.change == Change::Replace);
        let servers = if recipe.is_consul() && replaces {
            consul_servers(recipe, facts)
        } else if recipe.is_registered() && !consul.is_some_and(|consul| changes(&consul.name)) {
            0
        } else {
            continue;
        };
        for slot in recipe_plan.changes() {
            let Some(reached) = fleet.host(&slot.host) else {
                continue;
            };
            let message = format!(
                "Consul is not ready on `{}`; nothing was changed on any host",
                slot.host
            );
            let hint = match consul {
                Some(consul) => {
                    let owner = environment.owner_of(&consul.name);
                    format!("shipit logs {owner} {}", consul.name)
                }
                None => format!(
                    "`{}` of recipe `{}` asks Consul's agent: start one there, or leave that out",
                    if recipe.drain.is_some() {
                        "[drain]"
                    } else {
                        "[ready] consul"
                    },
                    recipe.name
                ),
            };
            let seen = asked(reached, recipe, facts, servers)
                .await
                .map_err(|error| {
                    let stop =
                        Stop::on_host(Outcome::NotReady, message.clone(), &slot.host, &error);
                    // Where the connection is at fault, its own hint is the better one.
                    if stop.report.hint.is_some() {
                        stop
                    } else {
                        stop.hint(hint.clone())
                    }
                })?;
            if seen.verdict != Verdict::Holds {
                return Err(Stop::not_ready(message).cause(seen.detail).hint(hint));
            }
        }
    }
    Ok(())
}

/// Whether the cluster is whole. What the token may not do is found here as well, or a rollout would stop halfway, and could
/// not take the new container out again either.
async fn asked(
    reached: &Reached,
    recipe: &Recipe,
    facts: &Facts,
    servers: usize,
) -> Result<Observation, HostError> {
    let seen = cluster_is_whole(reached, servers).await?;
    let is_whole = seen.verdict == Verdict::Holds;
    if is_whole && recipe.is_registered() && reached.consul.has_token() {
        may_take_out(reached, recipe, facts).await?;
    }
    Ok(seen)
}

/// Whether the token may change the services of the containers that serve. Consul has no question for that but to end a
/// maintenance mode where there is none, which changes nothing.
async fn may_take_out(reached: &Reached, recipe: &Recipe, facts: &Facts) -> Result<(), HostError> {
    if !recipe.drain.as_ref().is_some_and(|it| it.through_consul) {
        reached.consul.services().await?;
        return Ok(());
    }
    let address = &reached.host.address;
    let facts = facts.hosts.get(reached.name()).into_iter();
    let containers = facts.flat_map(|facts| facts.of_own_or_shared(&recipe.name));
    let serving = containers.filter(|container| container.state.running);
    let ports = serving.flat_map(|it| it.ports.on_host(address));
    let ports: Vec<_> = ports.collect();
    let is_own = |service: &ServiceInstance| {
        ports.iter().any(|port| service.is_at(address, *port)) && service.maintenance().is_none()
    };
    let agent = &reached.consul;
    for service in agent.services_of(ports.len(), is_own).await? {
        agent.set_maintenance(&service.service, false, "").await?;
    }
    Ok(())
}

/// Moves the server that is the leader now behind the others of its recipe, so that the cluster has to elect
/// one once, and not again for each leader that goes next.
pub async fn leader_last(environment: &Environment, fleet: &Fleet, plan: &mut Plan) {
    for recipe_plan in &mut plan.recipes {
        let recipe = environment.recipe(&recipe_plan.recipe);
        let mut replaced = recipe_plan
            .slots
            .iter()
            .filter(|slot| slot.change == Change::Replace);
        let (Some(_), Some(asked)) = (recipe.filter(|it| it.is_consul()), replaced.next()) else {
            continue;
        };
        let Some(reached) = fleet.host(&asked.host) else {
            continue;
        };
        // Without an answer any order is as good as another.
        let Ok(Some(leader)) = reached.consul.leader().await else {
            continue;
        };
        let leads = |host: &HostName| {
            let address = fleet.host(host).map(|reached| &*reached.host.address);
            let raft = leader.rsplit_once(':').map(|(address, _)| address);
            address
                .zip(raft)
                .is_some_and(|(one, other)| is_same_address(one, other))
        };
        let order = |slot: &SlotPlan| (slot.change == Change::Remove, leads(&slot.host));
        recipe_plan.slots.sort_by_key(order);
    }
}

/// How many servers Consul's cluster has when it is whole: those that run now; on a first deploy, when none
/// does, all that are about to. So a cluster can also grow, one server at a time.
pub fn consul_servers(recipe: &Recipe, facts: &Facts) -> usize {
    let runs = |host: &&HostName| !facts.serving(host, &recipe.name).is_empty();
    match recipe.hosts.iter().filter(runs).count() {
        0 => recipe.hosts.len(),
        running => running,
    }
}

#[cfg(test)]
mod tests;
