//! How a plan comes from what is wanted and what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, ContainerName, Desired, Difference, Incoming, Input, Plan, RecipePlan, Remark,
    SlotPlan, TaskRef, differences,
    remarks::{
        check_for_names_given_twice, check_recipe_out_of_scope, warn_of_lost_requests,
        warn_of_orphans,
    },
};
use crate::{
    docker::{Container, SpecHash, container_base_name},
    facts::HostFacts,
    model::{HostName, Order, Recipe},
    text,
};

/// Computes what would change. Pure: the same input gives the same plan.
pub fn build(input: &Input) -> Plan {
    let mut plan = Plan {
        release: input.release,
        recipes: Vec::new(),
        warnings: Vec::new(),
        obstacles: Vec::new(),
    };
    for recipe in &input.environment.recipes {
        if input.scope.has_recipe(&recipe.name) {
            let recipe_plan = plan_recipe(input, recipe, &mut plan.obstacles);
            warn_of_lost_requests(recipe, &recipe_plan, &mut plan.warnings);
            plan.recipes.push(recipe_plan);
        } else {
            check_recipe_out_of_scope(input, recipe, &mut plan);
        }
    }
    check_for_names_given_twice(&mut plan);
    warn_of_orphans(input, &mut plan.warnings);
    plan
}

/// The order in which a recipe's old and new containers are replaced.
/// What comes is looked at as well as the files: they differ in a rollback.
pub(super) fn order_of(recipe: &Recipe, desired: Option<&BTreeMap<HostName, Desired>>) -> Order {
    let of_files = recipe.on.values().filter_map(|on| on.container.as_ref());
    let wanted = desired.into_iter().flat_map(BTreeMap::values);
    let needs_the_old_one_gone = of_files
        .chain(wanted.map(|desired| &desired.spec))
        .any(|spec| spec.publishes_fixed_port() || spec.uses_host_network());
    recipe.rollout.order.unwrap_or(if needs_the_old_one_gone {
        Order::StopFirst
    } else {
        Order::StartFirst
    })
}

fn plan_recipe(input: &Input, recipe: &Recipe, obstacles: &mut Vec<Remark>) -> RecipePlan {
    let order = order_of(recipe, input.desired.get(&recipe.name));
    let mut slots = Vec::new();
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
            let place = Place {
                input,
                recipe,
                order,
                host: &host.name,
                facts,
                instance,
            };
            slots.extend(place.plan(desired, obstacles));
        }
    }
    // What comes serves before what goes is gone, also where the two are on different hosts.
    slots.sort_by_key(|slot: &SlotPlan| match slot.change {
        Change::Keep | Change::Create | Change::Start => 0,
        Change::Replace => 1,
        Change::Remove => 2,
    });
    let tasks = in_scope
        .flat_map(|host| tasks_on(input, recipe, &host.name))
        .collect();
    RecipePlan {
        recipe: recipe.name.clone(),
        order,
        slots,
        tasks,
    }
}

fn tasks_on(input: &Input, recipe: &Recipe, host: &HostName) -> Vec<TaskRef> {
    let Some(on) = recipe.on.get(host).filter(|on| on.container.is_none()) else {
        return Vec::new();
    };
    // `once` is once in a deploy, on the first of the recipe's hosts that the deploy may touch.
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

/// One place of a container, with all that is known of it.
struct Place<'a> {
    input: &'a Input<'a>,
    recipe: &'a Recipe,
    order: Order,
    host: &'a HostName,
    facts: &'a HostFacts,
    instance: u16,
}

impl Place<'_> {
    fn plan(&self, desired: Option<&Desired>, obstacles: &mut Vec<Remark>) -> Option<SlotPlan> {
        let here: Vec<_> = self
            .facts
            .of_recipe(&self.recipe.name)
            .into_iter()
            .filter(|container| {
                container
                    .identity()
                    .is_some_and(|id| id.instance == self.instance)
            })
            .collect();
        let running: Vec<_> = here
            .iter()
            .copied()
            .filter(|container| container.state.running)
            .collect();
        let Some(desired) = desired else {
            let newest = running.first()?;
            self.check_names(None, &running, obstacles);
            return Some(self.slot(
                Change::Remove,
                None,
                &running,
                format!("`{}` is no longer wanted here", newest.name),
            ));
        };
        let fits = |container: &&Container| {
            self.hash_for(desired, container).as_str() == spec_label(container)
        };
        let others_than = |kept: &Container| -> Vec<_> {
            running
                .iter()
                .copied()
                .filter(|other| other.id != kept.id)
                .collect()
        };
        if let Some(kept) = running
            .iter()
            .copied()
            .filter(|container| container.state.is_up())
            .find(fits)
        {
            let others = others_than(kept);
            self.check_names(None, &others, obstacles);
            return Some(self.adopt(desired, kept, &others));
        }
        // Where nothing else runs, the newest container of this spec, stopped or restarting over and over,
        // is what should run here. A rollback also goes back to one that was kept while another ran.
        let startable = running.iter().all(fits) || self.input.prefer_kept;
        if let Some(kept) = here.iter().copied().filter(|_| startable).find(fits) {
            let (incoming, outgoing) = (self.existing(desired, kept), others_than(kept));
            self.check_names(Some(&incoming), &outgoing, obstacles);
            let reason = format!("`{}` is there and {}", kept.name, kept.state.status);
            let change = if outgoing.is_empty() {
                Change::Start
            } else {
                Change::Replace
            };
            let mut slot = self.slot(change, Some(incoming), &outgoing, reason);
            slot.differences = self.differences(desired, outgoing.first().copied());
            return Some(slot);
        }
        let incoming = self.create(desired);
        self.check_names(Some(&incoming), &running, obstacles);
        let mut slot = match running.first() {
            None => {
                let reason = if here.is_empty() {
                    "nothing runs here yet"
                } else {
                    "nothing runs here now"
                };
                self.slot(Change::Create, Some(incoming), &[], reason.to_owned())
            }
            Some(_) => self.slot(Change::Replace, Some(incoming), &running, String::new()),
        };
        slot.differences = self.differences(desired, running.first().copied());
        if slot.change == Change::Replace {
            let old = text::list(running.iter().map(|container| &container.name));
            slot.reason = format!("in place of {old}");
        }
        Some(slot)
    }

    /// What is wanted runs already. Others beside it are what an interrupted deploy left.
    fn adopt(&self, desired: &Desired, kept: &Container, others: &[&Container]) -> SlotPlan {
        let incoming = self.existing(desired, kept);
        if others.is_empty() {
            let mut ports = kept.tcp_host_ports().into_iter();
            let in_maintenance = ports.any(|port| self.facts.left_in_maintenance.contains(&port));
            let wanted = desired.spec.restart.as_deref().unwrap_or("no");
            let (change, reason) = if kept.restart != wanted {
                let reason = format!("its restart policy is {}, not {wanted}", kept.restart);
                (Change::Start, reason)
            } else if in_maintenance {
                (
                    Change::Start,
                    format!(
                        "an interrupted deploy left `{}` in maintenance mode",
                        kept.name
                    ),
                )
            } else {
                (Change::Keep, String::new())
            };
            return self.slot(change, Some(incoming), &[], reason);
        }
        let names = text::list(others.iter().map(|container| &container.name));
        let reason = format!("an interrupted deploy left {names} beside `{}`", kept.name);
        self.slot(Change::Replace, Some(incoming), others, reason)
    }

    fn slot(
        &self,
        change: Change,
        incoming: Option<Incoming>,
        outgoing: &[&Container],
        reason: String,
    ) -> SlotPlan {
        SlotPlan {
            host: self.host.clone(),
            instance: self.instance,
            change,
            incoming,
            outgoing: outgoing
                .iter()
                .map(|container| self.name_of(container))
                .collect(),
            reason,
            differences: Vec::new(),
        }
    }

    fn existing(&self, desired: &Desired, container: &Container) -> Incoming {
        let mut name = self.name_of(container);
        let base = self.base_name(
            container
                .identity()
                .map_or(self.input.release.0, |id| id.release),
        );
        let serves_as_it_is = container.name == base || container.name == self.own(&base);
        if !container.state.running && !serves_as_it_is {
            name = ContainerName {
                active: self.prefixed(&base),
                retired: container.name.clone(),
            };
        }
        Incoming {
            name,
            exists: true,
            runs: container.state.is_up(),
            hash: self.hash_for(desired, container),
            desired: desired.clone(),
        }
    }

    fn create(&self, desired: &Desired) -> Incoming {
        let release = self.input.release.0;
        let hash = SpecHash::of(
            &desired.spec,
            &desired.image,
            &desired.secrets,
            self.input.new_key,
        );
        let name = ContainerName {
            active: self.prefixed(&self.base_name(release)),
            retired: self.prefixed(&self.unique_name(release)),
        };
        Incoming {
            name,
            exists: false,
            runs: false,
            hash,
            desired: desired.clone(),
        }
    }

    /// Every name that a container is to get must be free, or come free: of a container that is in this
    /// very place, which is renamed when its name is wanted.
    fn check_names(
        &self,
        incoming: Option<&Incoming>,
        outgoing: &[&Container],
        obstacles: &mut Vec<Remark>,
    ) {
        let incoming = incoming.map(|incoming| &incoming.name);
        let outgoing: Vec<_> = outgoing.iter().map(|it| self.name_of(it)).collect();
        let names: BTreeSet<_> = incoming
            .into_iter()
            .chain(&outgoing)
            .flat_map(|name| [&name.active, &name.retired])
            .collect();
        for name in names {
            let Some(environment) = self.facts.names.get(name) else {
                continue;
            };
            let of_this_place = |container: &Container| {
                container.identity().is_some_and(|identity| {
                    *identity.recipe == *self.recipe.name && identity.instance == self.instance
                })
            };
            let mut own = self.facts.containers.iter();
            let there = own.find(|container| container.name == *name);
            if there.is_some_and(of_this_place) {
                continue;
            }
            let (whose, hint) = match there.and_then(Container::identity) {
                Some(identity) => (
                    format!("is of `{}`", identity.recipe),
                    "give one of the two recipes another name".to_owned(),
                ),
                None if environment.is_empty() => (
                    "shipit did not make".to_owned(),
                    format!(
                        "`docker rename {name} {name}-old` or `docker rm --force {name}` on that host"
                    ),
                ),
                None => (
                    format!("is of the environment `{environment}`"),
                    format!(
                        "give the recipe another name there, or `{}` here",
                        self.recipe.name
                    ),
                ),
            };
            obstacles.push(Remark {
                host: Some(self.host.clone()),
                message: format!("a container named `{name}` is there that {whose}"),
                hint: Some(hint),
            });
        }
    }

    fn name_of(&self, container: &Container) -> ContainerName {
        let release = container.identity().map_or(0, |identity| identity.release);
        let retired = match self.order {
            // A container that already has a name of its own keeps it.
            Order::StartFirst => container.name.clone(),
            Order::StopFirst if container.name == self.unique_name(release) => {
                container.name.clone()
            }
            Order::StopFirst => self.prefixed(&self.unique_name(release)),
        };
        ContainerName {
            active: container.name.clone(),
            retired,
        }
    }

    fn unique_name(&self, release: u64) -> String {
        container_base_name(&self.recipe.name, Order::StartFirst, release, self.instance)
    }

    /// The name under which a release's container serves, where it is free.
    fn base_name(&self, release: u64) -> String {
        container_base_name(&self.recipe.name, self.order, release, self.instance)
    }

    fn own(&self, name: &str) -> String {
        format!("{}-{name}", self.input.environment.name)
    }

    /// The name, or one with the environment before it where another environment's container has it.
    fn prefixed(&self, name: &str) -> String {
        let own = &*self.input.environment.name;
        match self.facts.names.get(name) {
            Some(environment) if !environment.is_empty() && environment != own => self.own(name),
            _ => name.to_owned(),
        }
    }

    fn hash_for(&self, desired: &Desired, container: &Container) -> SpecHash {
        let identity = container.identity();
        let key = identity
            .as_ref()
            .and_then(|identity| identity.spec.key())
            .unwrap_or(self.input.new_key);
        SpecHash::of(&desired.spec, &desired.image, &desired.secrets, key)
    }

    fn differences(&self, desired: &Desired, old: Option<&Container>) -> Vec<Difference> {
        let Some(old) = old else { return Vec::new() };
        let hash = spec_label(old);
        let record = self.input.history.newest_on(self.host, |record| {
            record
                .recipes
                .get(&*self.recipe.name)
                .is_some_and(|recipe| recipe.hash == hash)
        });
        let Some(recorded) = record.and_then(|record| record.recipes.get(&*self.recipe.name))
        else {
            // The image is all that the container itself tells.
            if old.image == desired.image.reference {
                return Vec::new();
            }
            return vec![Difference {
                field: "image".into(),
                old: Some(old.image.clone()),
                new: Some(desired.spec.image.clone()),
            }];
        };
        let found = differences(
            (&recorded.spec, &recorded.image),
            (&desired.spec, &desired.image),
        );
        if found.is_empty() && !desired.secrets.is_empty() {
            let names = desired
                .secrets
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            return vec![Difference {
                field: "secrets".into(),
                old: Some(names.clone()),
                new: Some(format!("{names} (another value)")),
            }];
        }
        found
    }
}

fn spec_label(container: &Container) -> String {
    container
        .identity()
        .map(|identity| identity.spec.as_str().to_owned())
        .unwrap_or_default()
}
