//! What one rollout works with: its slots, the balancers that it asks, its probe.

use std::sync::Arc;

use super::deployment::Deployment;
use crate::{
    balancers::{Routing, Upstreams},
    desired,
    docker::Container,
    event::EventKind,
    hosts::Reached,
    model::{
        EQUAL_WEIGHT, HostName, HostRecipe, LateValues, Name, Probe, Recipe, canary_share,
        canary_weight,
    },
    plan::{RecipePlan, SlotPlan},
    release::Action,
    rollout::{
        driver::{self, Running},
        machine::Policy,
        probe::{ErrorWatch, ProbeWatch},
        quorum::consul_servers,
        slot::{Placement, RequiredRecipe, RolloutContext, SlotContainers},
    },
};

impl Deployment<'_> {
    /// What the rollout of a recipe works with.
    pub(super) fn running(&self, recipe_plan: &RecipePlan, recipe: &Recipe) -> Running {
        let context = Arc::new(self.rollout_context(recipe));
        let changes = recipe_plan.changes();
        let policy = driver::policy(recipe, recipe_plan.order, changes.clone().count());
        let mut slots: Vec<_> = changes
            .filter_map(|slot| self.placement(&context, slot))
            .collect();
        if let Some(first) = slots.first_mut() {
            first.is_first = true;
        }
        let canary_share = self.weigh_canaries(recipe, &policy, &mut slots);
        if self.leaves_nothing(recipe_plan, recipe) {
            // Any of those that go at once may be the last one.
            let last = slots.iter_mut().rev().take(policy.max_parallel);
            last.for_each(|slot| slot.is_last = true);
        }
        Running {
            policy,
            canary_share,
            recipe: context.recipe.clone(),
            slots: slots.into_iter().map(Arc::new).collect(),
        }
    }

    /// Gives the canaries their weight, which they have until the others follow, and says which share of the requests
    /// they get; `None` where it is an equal one. What runs already is none of them, and a first deploy has none.
    fn weigh_canaries(
        &self,
        recipe: &Recipe,
        policy: &Policy,
        slots: &mut [Placement],
    ) -> Option<String> {
        let share = recipe.rollout.canary_weight?;
        if !policy.weighs_canaries || slots.iter().all(|slot| slot.outgoing().is_none()) {
            return None;
        }
        let comes = |slot: &&mut Placement| {
            let incoming = slot.plan.incoming.as_ref();
            incoming.is_some_and(|incoming| !incoming.runs)
        };
        let mut canaries: Vec<_> = slots.iter_mut().filter(comes).take(policy.canary).collect();
        let replaced: usize = canaries.iter().map(|slot| slot.plan.outgoing.len()).sum();
        let serving = recipe.by_host.iter().map(|(host, on)| {
            let is_known = self.facts.hosts.contains_key(host);
            let serving = is_known.then(|| self.facts.serving(host, &recipe.name).len());
            serving.unwrap_or_else(|| usize::from(on.instances))
        });
        let others = serving.sum::<usize>().saturating_sub(replaced);
        let weight = canary_weight(share, canaries.len(), others);
        for canary in &mut canaries {
            canary.weight = weight.into();
        }
        (weight < EQUAL_WEIGHT).then(|| canary_share(weight, canaries.len(), others))
    }

    /// Whether nothing of a recipe is left to serve when this plan is carried out. A host that was not looked at may
    /// have something that does.
    fn leaves_nothing(&self, recipe_plan: &RecipePlan, recipe: &Recipe) -> bool {
        let has_nothing = |host: &HostName| {
            let is_known = self.facts.hosts.contains_key(host);
            is_known && self.facts.serving(host, &recipe.name).is_empty()
        };
        let stops = |host: &HostName| recipe_plan.changes().any(|slot| slot.host == *host);
        let mut hosts = recipe.hosts.iter();
        self.action == Action::Stop && hosts.all(|host| stops(host) || has_nothing(host))
    }

    fn rollout_context(&self, recipe: &Recipe) -> RolloutContext {
        let preview = self.context.environment.preview.as_ref();
        RolloutContext {
            recipe: Arc::new(recipe.clone()),
            environment: self.context.environment.name.to_string(),
            preview_of: preview.map(|preview| preview.base.to_string()),
            by: self.context.by.clone(),
            release: self.plan.release,
            events: self.context.events.clone(),
            routing: Routing::of(
                recipe,
                self.balancers(recipe),
                self.lists,
                &self.plan.release.to_string(),
            ),
            lists: Arc::clone(self.lists),
            ports: self.context.environment.ports.clone(),
            required: self.required(recipe),
            consul_servers: consul_servers(recipe, self.facts),
            consul_hosts: self.consul_hosts(recipe),
        }
    }

    /// What the recipe requires. An older release may not need yet what the files require now.
    fn required(&self, recipe: &Recipe) -> Vec<RequiredRecipe> {
        let environment = self.context.environment;
        let recipes = environment.with_shared();
        let required = recipes.filter(|other| {
            !matches!(self.action, Action::RollbackTo(_))
                && other.has_container()
                && environment.requires(recipe, &other.name)
        });
        let required = required.map(|other| RequiredRecipe {
            name: other.name.clone(),
            environment: environment.owner_of(&other.name).clone(),
            hosts: other.hosts.clone(),
        });
        required.collect()
    }

    fn placement(&self, context: &Arc<RolloutContext>, slot: &SlotPlan) -> Option<Placement> {
        let reached = self.fleet.host(&slot.host)?.clone();
        let host_recipe = context.recipe.by_host.get(&slot.host).cloned();
        let host_recipe = Arc::new(host_recipe.unwrap_or_else(HostRecipe::none));
        let facts = self.facts.hosts.get(&slot.host);
        let containers = facts.map_or(&[][..], |facts| &facts.containers);
        Some(Placement {
            context: context.clone(),
            runs_tasks: self.runs_tasks(slot, &host_recipe),
            reached,
            host_recipe,
            outgoing_is_up: outgoing_is_up(slot, containers),
            plan: slot.clone(),
            is_first: false,
            is_last: false,
            stops: Default::default(),
            waits_for_switch: Default::default(),
            weight: EQUAL_WEIGHT.into(),
            containers: SlotContainers::before(slot, containers),
        })
    }

    /// Whether a slot runs its `before` and `after`. A rollback to a release that had others than the files runs
    /// neither: they belong to another version, and what they uploaded is not in the record. The same goes for a
    /// restart.
    fn runs_tasks(&self, slot: &SlotPlan, host_recipe: &HostRecipe) -> bool {
        let Some(incoming) = &slot.incoming else {
            return false;
        };
        let (recorded, now) = (&incoming.desired.spec.setup, desired::setup(host_recipe));
        let runs = self.action == Action::Deploy || *recorded == now;
        if !runs {
            let message =
                "the release's `before` and `after` commands differ from the files'; running none of them"
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
    fn balancers(&self, recipe: &Recipe) -> Vec<Upstreams> {
        let mut balancers = Vec::new();
        let names = recipe.drain.iter().flat_map(|drain| &drain.balancers);
        for balancer in names.filter_map(|name| self.context.environment.own_or_shared(name)) {
            for (host, on) in &balancer.by_host {
                let (Some(reached), Some(view)) = (self.fleet.host(host), &on.balancer) else {
                    continue;
                };
                for container in self.containers_of(&balancer.name, host) {
                    let image = self.image_of(host, &container);
                    balancers.push(Upstreams {
                        recipe: balancer.name.clone(),
                        reached: reached.clone(),
                        view: view.clone(),
                        late: LateValues {
                            release: self.plan.release.to_string(),
                            container,
                            image: image.clone(),
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

    /// The image of a container on a host once the plan is carried out; empty where none is known.
    fn image_of(&self, host: &HostName, container: &str) -> String {
        let slots = self.plan.recipes.iter().flat_map(|plan| &plan.slots);
        let mut incoming = slots
            .filter(|slot| slot.host == *host)
            .filter_map(|slot| slot.incoming.as_ref());
        let incoming = incoming.find(|incoming| incoming.name.active == container);
        incoming.map_or_else(
            || self.facts.image_of(host, container),
            |incoming| incoming.desired.image.reference.clone(),
        )
    }

    /// Begins to watch the errors that balancers count, where there is a `max_error_rate`. What cannot be watched holds
    /// nothing up: a balancer that is down must be deployable.
    async fn watch_errors(&self, probe: &Probe, running: &Running) -> Option<ErrorWatch> {
        let rate = probe.max_error_rate?;
        let mut balancers = self.balancers(&running.recipe);
        balancers.retain(|balancer| balancer.view.errors.is_some());
        let events = self.context.events.clone();
        let slots = running.slots.clone();
        let watch = ErrorWatch::start(rate, balancers, slots, events).await;
        watch
            .inspect_err(|why| {
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message: format!("`max_error_rate` is not enforced: {why}"),
                    hint: None,
                });
            })
            .ok()
    }

    /// Starts the recipe's probe, if it has one and something serves already that it can probe.
    pub(super) async fn start_probe(&self, running: &Running) -> Option<ProbeWatch> {
        let probe = running.recipe.probe.clone()?;
        // What is stopped is not expected to answer.
        if self.action == Action::Stop {
            return None;
        }
        running
            .slots
            .iter()
            .find(|slot| slot.plan.replaces_a_running_one())?;
        let through = probe
            .through
            .as_ref()
            .and_then(|host| self.fleet.host(host))
            .cloned();
        let recipe = running.recipe.name.to_string();
        let errors = self.watch_errors(&probe, running).await;
        let rate = probe.max_error_rate;
        ProbeWatch::start(probe, through, recipe, self.context.events.clone(), errors)
            .await
            .inspect_err(|message| {
                let rate = rate.map_or("", |_| ", and `max_error_rate` is not enforced");
                let (message, hint) = (format!("no probe{rate}: {message}"), None);
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint,
                });
            })
            .ok()
    }
}

/// Whether all containers that a slot lets go were up when docker was asked.
pub(super) fn outgoing_is_up(slot: &SlotPlan, containers: &[Container]) -> bool {
    slot.outgoing.iter().all(|name| {
        let mut seen = containers.iter();
        let seen = seen.find(|container| container.name == name.active);
        seen.is_some_and(|container| container.state.is_up())
    })
}
