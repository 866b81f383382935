//! What one rollout works with: its slots, the balancers that it asks, its probe.

use std::sync::Arc;

use super::deployment::Deployment;
use crate::{
    desired,
    event::EventKind,
    hosts::Reached,
    model::{HostName, HostRecipe, LateValues, Name, Recipe},
    plan::{RecipePlan, SlotPlan},
    release::Action,
    rollout::{
        driver::{self, Running},
        gate::{Balancer, Surroundings},
        probe::ProbeWatch,
        quorum::consul_servers,
        slot::{Occupants, SlotRun},
    },
};

impl Deployment<'_> {
    /// What the rollout of a recipe works with.
    pub(super) fn running(&self, recipe_plan: &RecipePlan, recipe: &Recipe) -> Running {
        let recipe = Arc::new(recipe.clone());
        let slots: Vec<_> = recipe_plan
            .changes()
            .enumerate()
            .filter_map(|(index, slot)| {
                let reached = self.fleet.host(&slot.host)?.clone();
                let on = Arc::new(
                    recipe
                        .on
                        .get(&slot.host)
                        .cloned()
                        .unwrap_or_else(HostRecipe::none),
                );
                let containers = self
                    .facts
                    .hosts
                    .get(&slot.host)
                    .map(|facts| facts.containers.as_slice());
                let containers = containers.unwrap_or_default();
                let runs_tasks = self.runs_tasks(slot, &on);
                Some(Arc::new(SlotRun {
                    is_first: index == 0,
                    runs_tasks,
                    reached,
                    recipe: recipe.clone(),
                    on,
                    occupants: Occupants::before(slot, containers),
                    plan: slot.clone(),
                    environment: self.context.environment.name.to_string(),
                    release: self.plan.release,
                    events: self.context.events.clone(),
                }))
            })
            .collect();
        let around = Surroundings {
            balancers: self.balancers(&recipe),
            consul_servers: consul_servers(&recipe, self.facts),
            consul_hosts: self.consul_hosts(&recipe),
        };
        let policy = driver::policy(&recipe, recipe_plan.order, slots.len());
        Running {
            policy,
            recipe,
            slots,
            around: Arc::new(around),
        }
    }

    /// Whether a slot runs its `before` and `after`. A rollback to a release that had others than the files runs
    /// neither: they belong to another version, and what they uploaded is not in the record.
    fn runs_tasks(&self, slot: &SlotPlan, on: &HostRecipe) -> bool {
        let Some(incoming) = &slot.incoming else {
            return false;
        };
        let (recorded, now) = (&incoming.desired.spec.setup, desired::setup(on));
        let runs = self.action == Action::Deploy || *recorded == now;
        if !runs {
            let message =
                "the release had other `before` and `after` commands than the files: none is run"
                    .to_owned();
            let host = Some(slot.host.to_string());
            self.context.events.send(EventKind::Warning {
                host,
                message,
                hint: None,
            });
        }
        runs
    }

    /// The hosts of Consul's servers that run now.
    fn consul_hosts(&self, recipe: &Recipe) -> Vec<Reached> {
        let hosts = recipe.hosts.iter().filter(|_| recipe.is_consul());
        let serving = hosts.filter(|host| {
            let servers = self.facts.serving(host, &recipe.name);
            !servers.is_empty()
        });
        serving
            .filter_map(|host| self.fleet.host(host).cloned())
            .collect()
    }

    /// Every balancer that the recipe's `[drain]` names: each of its containers on each of its hosts.
    fn balancers(&self, recipe: &Recipe) -> Vec<Balancer> {
        let mut balancers = Vec::new();
        let names = recipe.drain.iter().flat_map(|drain| &drain.balancers);
        for balancer in names.filter_map(|name| self.context.environment.recipe(name)) {
            for (host, on) in &balancer.on {
                let (Some(reached), Some(view)) = (self.fleet.host(host), &on.balancer) else {
                    continue;
                };
                for container in self.containers_of(&balancer.name, host) {
                    balancers.push(Balancer {
                        reached: reached.clone(),
                        view: view.clone(),
                        late: LateValues {
                            release: self.plan.release.to_string(),
                            container,
                        },
                    });
                }
            }
        }
        balancers
    }

    /// The names of a recipe's containers on a host once the plan is carried out.
    fn containers_of(&self, recipe: &Name, host: &HostName) -> Vec<String> {
        let mut planned = self.plan.recipes.iter();
        let planned = planned.find(|plan| plan.recipe == *recipe);
        let slots = planned.into_iter().flat_map(|plan| &plan.slots);
        let incoming = slots
            .filter(|slot| slot.host == *host)
            .filter_map(|slot| slot.incoming.as_ref());
        let mut names: Vec<_> = incoming
            .map(|incoming| incoming.name.active.clone())
            .collect();
        if names.is_empty() {
            names = self.facts.serving(host, recipe);
        }
        if names.is_empty() {
            names.push(recipe.to_string());
        }
        names
    }

    /// Starts the recipe's probe, if it has one and something serves already that it can probe.
    pub(super) async fn start_probe(&self, running: &Running) -> Option<ProbeWatch> {
        let probe = running.recipe.probe.clone()?;
        running
            .slots
            .iter()
            .find(|slot| !slot.plan.outgoing.is_empty())?;
        let through = probe
            .through
            .as_ref()
            .and_then(|host| self.fleet.host(host))
            .cloned();
        let recipe = running.recipe.name.to_string();
        ProbeWatch::start(probe, through, recipe, self.context.events.clone())
            .await
            .inspect_err(|message| {
                let (message, hint) = (format!("no probe: {message}"), None);
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint,
                });
            })
            .ok()
    }
}
