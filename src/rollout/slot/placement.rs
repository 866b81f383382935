//! One place of a container on one host while its rollout runs: what is known of it, and how it is looked at.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use super::{
    container::{SlotContainer, SlotContainers},
    context::RolloutContext,
};
use crate::{
    balancers::{Backend, CommandTarget, ListTarget},
    docker::{self, Container},
    facts::backends::{main_port, ports_of},
    hosts::{HostError, Reached},
    model::{EQUAL_WEIGHT, HostRecipe, LateValues},
    plan::SlotPlan,
    rollout::machine::{Outgoing, Side},
};

/// One place of a container on one host while its rollout runs.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none excludes another"
)]
pub struct Placement {
    /// What it shares with the others of its rollout.
    pub context: Arc<RolloutContext>,
    /// The host.
    pub reached: Reached,
    /// The recipe as resolved for this host.
    pub host_recipe: Arc<HostRecipe>,
    /// What was planned.
    pub plan: SlotPlan,
    /// Whether it is the first slot of its rollout, where what runs `once` runs.
    pub is_first: bool,
    /// Whether nothing of the recipe serves anywhere once this slot's container has gone.
    pub is_last: bool,
    /// Whether the recipe's `before` and `after` belong to what is started: a rollback to a release whose
    /// own were others runs none.
    pub runs_tasks: bool,
    /// Whether the outgoing ones were up when the plan was made.
    pub outgoing_is_up: bool,
    /// Whether `docker stop` was asked for, of the new and of the old ones.
    pub stops: [AtomicBool; 2],
    /// The part of the requests that its new container gets: less than [`EQUAL_WEIGHT`] for a canary, until the
    /// others follow.
    pub weight: AtomicU8,
    /// Whether the new and the old ones wait for the switch of a blue-green rollout.
    pub waits_for_switch: [AtomicBool; 2],
    /// Its containers before anything was done, see [`SlotContainers::before`].
    pub containers: SlotContainers,
}

impl Placement {
    /// The containers of one side, as last seen.
    pub async fn containers_of(&self, side: Side) -> Vec<SlotContainer> {
        self.containers.of(side).lock().await.clone()
    }

    /// The names of one side's containers, for people.
    pub fn names(&self, side: Side) -> String {
        let names: Vec<_> = match side {
            Side::New => self
                .plan
                .incoming
                .iter()
                .map(|incoming| &*incoming.name.active)
                .collect(),
            Side::Old => self
                .plan
                .outgoing
                .iter()
                .map(|name| &*name.active)
                .collect(),
        };
        names.join(", ")
    }

    /// Takes note that `docker stop` is asked for. Its answer can be lost.
    pub fn note_stop(&self, side: Side) {
        self.stops[side as usize].store(true, Ordering::Relaxed);
    }

    /// Whether `docker stop` was asked for in this rollout.
    pub fn stop_was_asked(&self, side: Side) -> bool {
        self.stops[side as usize].load(Ordering::Relaxed)
    }

    /// Takes note whether requests are yet to be switched to the containers of one side.
    pub fn note_switch(&self, side: Side, is_to_come: bool) {
        self.waits_for_switch[side as usize].store(is_to_come, Ordering::Relaxed);
    }

    /// Whether requests are yet to be switched to the containers of one side.
    pub fn waits_for_switch(&self, side: Side) -> bool {
        self.waits_for_switch[side as usize].load(Ordering::Relaxed)
    }

    /// Whether containers that wait for the switch must be kept out of traffic. One that ran before may be what
    /// requests go to, after a release that was cut off or before a switch back.
    pub fn is_held(&self, side: Side) -> bool {
        let has_started = match side {
            Side::New => self.plan.incoming.as_ref().is_some_and(|it| !it.runs),
            Side::Old => self.stop_was_asked(side) || self.outgoing() == Some(Outgoing::Kept),
        };
        has_started && self.waits_for_switch(side)
    }

    /// What was here before, for the state machine.
    pub fn outgoing(&self) -> Option<Outgoing> {
        if self.plan.outgoing.is_empty() {
            None
        } else if !self.plan.replaces_a_running_one() {
            Some(Outgoing::Kept)
        } else if self.outgoing_is_up {
            Some(Outgoing::Serves)
        } else {
            Some(Outgoing::Unwell)
        }
    }

    /// What a template of this slot may name late.
    pub fn late_values(&self, side: Side) -> LateValues {
        let container = match side {
            Side::New => self.plan.incoming.as_ref().map(|incoming| &incoming.name),
            Side::Old => self.plan.outgoing.first(),
        };
        LateValues {
            release: self.context.release.to_string(),
            container: container
                .map(|name| name.active.clone())
                .unwrap_or_default(),
            image: match side {
                Side::New => self.plan.incoming.as_ref(),
                // Of what goes nothing is asked that needs its image.
                Side::Old => None,
            }
            .map(|incoming| incoming.desired.image.reference.clone())
            .unwrap_or_default(),
        }
    }

    /// The containers of one side as balancers know them, from when they were last seen.
    pub async fn backends(&self, side: Side) -> Vec<Backend> {
        let containers = self.containers_of(side).await.into_iter();
        let made = self.plan.incoming.as_ref().is_some_and(|it| !it.exists);
        let may_be_out = side == Side::Old || !made;
        let weight = match side {
            Side::New => self.weight.load(Ordering::Relaxed),
            Side::Old => EQUAL_WEIGHT,
        };
        let backend = |container: SlotContainer| {
            let ports = container.ports(&self.host_recipe, &self.reached.host.address);
            Backend {
                host: self.reached.clone(),
                port: main_port(&ports, &self.host_recipe),
                ports,
                weight,
                is_up: container.is_up(),
                may_be_out,
                container: container.name.active,
                service_ids: container.service_ids,
            }
        };
        containers.map(backend).collect()
    }

    /// The file with backends of a container that is a balancer, if it has one.
    pub fn list_target(&self, container: &str) -> Option<ListTarget> {
        let balancer = self.host_recipe.balancer.as_ref()?;
        Some(ListTarget {
            recipe: self.context.recipe.name.clone(),
            reached: self.reached.clone(),
            file: balancer.backends.clone()?,
            late: LateValues {
                container: container.to_owned(),
                ..self.late_values(Side::New)
            },
        })
    }

    /// The commands that tell a container that is a balancer of its backends, if it has some.
    pub fn command_target(&self, container: &str) -> Option<CommandTarget> {
        let balancer = self.host_recipe.balancer.as_ref()?;
        Some(CommandTarget {
            recipe: self.context.recipe.name.clone(),
            reached: self.reached.clone(),
            commands: balancer.commands.clone()?,
            late: LateValues {
                container: container.to_owned(),
                ..self.late_values(Side::New)
            },
        })
    }

    /// One container as balancers know it, from how docker shows it now.
    pub fn backend(&self, container: &Container) -> Backend {
        let ports = ports_of(container, &self.host_recipe, &self.reached.host.address);
        Backend {
            host: self.reached.clone(),
            port: main_port(&ports, &self.host_recipe),
            ports,
            weight: EQUAL_WEIGHT,
            is_up: container.state.is_up(),
            may_be_out: true,
            container: container.name.clone(),
            service_ids: Vec::new(),
        }
    }

    /// Keeps what taking the containers of one side out has found of them.
    pub async fn keep_service_ids(&self, side: Side, backends: Vec<Backend>) {
        let mut containers = self.containers.of(side).lock().await;
        for (container, backend) in containers.iter_mut().zip(backends) {
            container.service_ids = backend.service_ids;
        }
    }

    /// Whether a container that has the incoming one's name is the one that this slot made, in a try that
    /// came no further, or is to start again.
    pub fn is_incoming(&self, there: &Container) -> bool {
        let hash = self
            .plan
            .incoming
            .as_ref()
            .map(|incoming| incoming.hash.as_str());
        self.is_of_this_slot(there)
            && there.identity().is_some_and(|identity| {
                identity.release == self.context.release.0 && Some(identity.spec.as_str()) == hash
            })
    }

    /// Whether a container is one of this very slot. Two environments that are deployed at the same time
    /// may both have planned a name, and what is the other's may not be touched.
    fn is_of_this_slot(&self, there: &Container) -> bool {
        there.identity().is_some_and(|identity| {
            identity.environment == self.context.environment
                && *identity.recipe == *self.context.recipe.name
                && identity.instance == self.plan.instance
        })
    }

    /// Keeps the containers of one side out of traffic, where balancers would learn of them by themselves; whether
    /// that is so now.
    pub async fn hold(&self, side: Side) -> Result<bool, HostError> {
        let backends = self.backends(side).await;
        let reason = self.reason(side);
        self.context.routing.hold(&backends, &reason).await
    }

    /// The reason that operators find in Consul: which release of what, whose it is, and what it does here.
    pub fn reason(&self, side: Side) -> String {
        let context = &self.context;
        let new = self.names(Side::New);
        let does = match side {
            _ if self.waits_for_switch(side) => "waits for the switch".to_owned(),
            Side::Old if new.is_empty() => "removed".to_owned(),
            Side::Old => format!("replaced by {new}"),
            Side::New => "reverted".to_owned(),
        };
        format!(
            "{} of {} in {} by {}: {does}",
            context.release, context.recipe.name, context.environment, context.by
        )
    }

    /// A container by name, if it is there.
    pub async fn inspect(&self, name: &str) -> Result<Option<Container>, HostError> {
        let command = docker::inspect_containers(&[name]);
        let containers = self.reached.read(command, docker::parse_containers).await?;
        Ok(containers.into_iter().next())
    }

    /// Looks at the containers of a side again: after a start they have other ports.
    pub async fn inspect_again(&self, side: Side) -> Result<(), HostError> {
        for (index, container) in self.containers_of(side).await.iter().enumerate() {
            let seen = self.inspect(&container.name.active).await?;
            let seen = seen.filter(|seen| self.is_of_this_slot(seen));
            if let Some(container) = self.containers.of(side).lock().await.get_mut(index) {
                container.inspected = seen;
                container.service_ids.clear();
            }
        }
        Ok(())
    }

    /// A container under whichever of its two names it has now.
    pub async fn current(&self, container: &SlotContainer) -> Result<Option<Container>, HostError> {
        for name in [&container.name.active, &container.name.retired] {
            if let Some(there) = self.inspect(name).await?
                && self.is_of_this_slot(&there)
                && container
                    .inspected
                    .as_ref()
                    .is_none_or(|seen| seen.id == there.id)
            {
                return Ok(Some(there));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use crate::rollout::machine::Side;
    use crate::rollout::testing::{FakeHost, TestSlot};

    #[tokio::test]
    async fn the_reason_in_consul_says_what_is_done_and_who_does_it() {
        let mut slot = TestSlot::new("", vec![FakeHost::default().behaviour()]).await;
        let shown = |slot: &TestSlot, side| slot.placement.reason(side);
        assert_eq!(
            shown(&slot, Side::Old),
            "r2 of web in staging by alice@laptop: replaced by web-r2"
        );
        assert_eq!(
            shown(&slot, Side::New),
            "r2 of web in staging by alice@laptop: reverted"
        );
        slot.placement.note_switch(Side::New, true);
        assert_eq!(
            shown(&slot, Side::New),
            "r2 of web in staging by alice@laptop: waits for the switch"
        );
        slot.placement.plan.incoming = None;
        assert_eq!(
            shown(&slot, Side::Old),
            "r2 of web in staging by alice@laptop: removed"
        );
    }
}
