//! The plan of an environment: every recipe, every host, every slot.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    accessory,
    changes::{Change, Plan, RecipePlan, Remark, SlotPlan},
    input::{Desired, Input, TaskRef},
    lists::{plan_lists, warn_of_what_is_not_proved},
    names::Names,
    ports::check_ports,
    remarks::{
        check_balancers_out_of_scope, check_for_names_given_twice, check_recipe_out_of_scope,
        check_shared_recipes, check_stops_of_servers, warn_of_accessory, warn_of_lost_requests,
        warn_of_mixed_versions, warn_of_orphans,
    },
    slot::Slot,
};
use crate::model::{ContainerSpec, HostName, Order, Recipe};

/// Computes what would change. Pure: the same input gives the same plan.
pub fn build(input: &Input) -> Plan {
    let mut plan = Plan {
        release: input.release,
        recipes: Vec::new(),
        lists: Vec::new(),
        active: Vec::new(),
        warnings: Vec::new(),
        obstacles: Vec::new(),
    };
    for recipe in &input.environment.recipes {
        if input.scope.has_recipe(&recipe.name) {
            let recipe_plan = plan_recipe(input, recipe, &mut plan.obstacles);
            warn_of_lost_requests(recipe, &recipe_plan, &mut plan.warnings);
            warn_of_mixed_versions(input, recipe, &recipe_plan, &mut plan.warnings);
            warn_of_accessory(input, &recipe_plan, &mut plan.warnings);
            check_stops_of_servers(input, recipe, &recipe_plan, &mut plan.obstacles);
            if !input.only_stops() {
                check_balancers_out_of_scope(input, recipe, &recipe_plan, &mut plan.obstacles);
            }
            plan.recipes.push(recipe_plan);
        } else if !input.only_stops() {
            check_recipe_out_of_scope(input, recipe, &mut plan);
        }
    }
    if !input.only_stops() {
        check_shared_recipes(input, &mut plan);
    }
    if input.only_stops() {
        // What others need stops after them.
        plan.recipes.reverse();
    }
    plan_lists(input, &mut plan);
    for recipe in &input.environment.recipes {
        warn_of_what_is_not_proved(input, recipe, &mut plan);
    }
    check_for_names_given_twice(&mut plan);
    check_ports(input, &mut plan);
    warn_of_orphans(input, &mut plan.warnings);
    plan
}

/// The order in which a recipe's old and new containers are replaced. It depends on the files and on what
/// is wanted: in a rollback the two differ.
fn order_of(recipe: &Recipe, desired: Option<&BTreeMap<HostName, Desired>>) -> Order {
    let of_files = recipe.containers();
    let wanted = desired.into_iter().flat_map(BTreeMap::values);
    let needs_exclusive_port = of_files
        .chain(wanted.map(|desired| &desired.spec))
        .any(ContainerSpec::needs_port_alone);
    recipe.rollout.order.unwrap_or(if needs_exclusive_port {
        Order::StopFirst
    } else {
        Order::StartFirst
    })
}

fn plan_recipe(input: &Input, recipe: &Recipe, obstacles: &mut Vec<Remark>) -> RecipePlan {
    let order = order_of(recipe, input.desired.get(&recipe.name));
    let mut slots = Vec::new();
    let mut left_alone = BTreeSet::new();
    let in_scope = input
        .environment
        .hosts
        .iter()
        .filter(|host| input.scope.has_host(&host.name));
    for host in in_scope.clone() {
        let Some(facts) = input.facts.hosts.get(&host.name) else {
            continue;
        };
        let desired = input
            .desired
            .get(&recipe.name)
            .and_then(|hosts| hosts.get(&host.name));
        let running: Vec<_> = facts
            .of_recipe(&recipe.name)
            .into_iter()
            .filter(|c| c.state.running)
            .collect();
        let wanted = desired.map_or(0, |desired| desired.instances);
        let highest = running
            .iter()
            .filter_map(|c| c.identity())
            .map(|id| id.instance)
            .max()
            .unwrap_or(0);
        for instance in 1..=wanted.max(highest) {
            let desired = desired.filter(|_| instance <= wanted);
            let names = Names {
                environment: &input.environment.name,
                is_preview: input.environment.preview.is_some(),
                recipe: &recipe.name,
                order,
                host: &host.name,
                facts,
                instance,
            };
            let slot = Slot {
                input,
                recipe,
                facts,
                names,
            };
            let planned = accessory::plan(&slot, desired);
            obstacles.extend(planned.obstacles);
            slots.extend(planned.slot);
            if planned.is_left_alone {
                left_alone.insert(host.name.clone());
            }
        }
    }
    // A new container serves before an old one is removed, also where they are on different hosts.
    slots.sort_by_key(|slot: &SlotPlan| match slot.change {
        Change::Keep | Change::Confirm | Change::Create | Change::Start => 0,
        Change::Replace => 1,
        Change::Remove | Change::Stop => 2,
    });
    let tasks = in_scope
        .flat_map(|host| tasks_on(input, recipe, &host.name))
        .collect();
    RecipePlan {
        recipe: recipe.name.clone(),
        order,
        slots,
        tasks,
        left_alone,
    }
}

fn tasks_on(input: &Input, recipe: &Recipe, host: &HostName) -> Vec<TaskRef> {
    let Some(on) = recipe.by_host.get(host).filter(|on| on.container.is_none()) else {
        return Vec::new();
    };
    // `once` means once in a deploy: on the first of the recipe's hosts that the deploy may touch.
    let first = recipe.hosts.iter().find(|host| input.scope.has_host(host)) == Some(host);
    on.commands
        .iter()
        .enumerate()
        .filter(|(_, task)| !task.once || first)
        .map(|(index, _)| TaskRef {
            recipe: recipe.name.clone(),
            host: host.clone(),
            index,
        })
        .filter(|task| !input.done_tasks.contains(task))
        .collect()
}
