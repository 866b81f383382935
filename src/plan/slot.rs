//! The plan of one slot: what happens to the containers in it.

use super::{
    changes::{Change, Incoming, Remark, SlotPlan},
    difference::{Difference, differences},
    input::{Desired, Input},
    names::Names,
};
use crate::{
    docker::{Container, SpecHash},
    facts::HostFacts,
    model::Recipe,
    release::Number,
    text,
};

/// The place of one of a recipe's containers on a host, with all that is known of it.
pub(super) struct Slot<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) recipe: &'a Recipe,
    pub(super) facts: &'a HostFacts,
    pub(super) names: Names<'a>,
}

impl Slot<'_> {
    /// The containers that are here, newest release first.
    pub(super) fn here(&self) -> Vec<&Container> {
        let of_recipe = self.facts.of_recipe(&self.recipe.name).into_iter();
        let is_here = |container: &&Container| {
            let identity = container.identity();
            identity.is_some_and(|id| id.instance == self.names.instance)
        };
        of_recipe.filter(is_here).collect()
    }

    /// What happens here; `None` where nothing runs and nothing is wanted.
    pub(super) fn plan(
        &self,
        desired: Option<&Desired>,
        obstacles: &mut Vec<Remark>,
    ) -> Option<SlotPlan> {
        let here = self.here();
        let running: Vec<_> = here
            .iter()
            .copied()
            .filter(|container| container.state.running)
            .collect();
        let Some(desired) = desired else {
            return self.remove(&running, obstacles);
        };
        if desired.stopped.is_some() {
            return self.stop(&running, obstacles);
        }
        if self.input.forced && !running.is_empty() {
            return Some(self.create(desired, &here, &running, obstacles));
        }
        let fits = |container: &&Container| {
            self.hash_for(desired, container).as_str() == spec_label(container)
        };
        let mut up = running.iter().copied().filter(|it| it.state.is_up());
        if let Some(kept) = up.find(fits) {
            return Some(self.keep(desired, kept, (&here, &running), obstacles));
        }
        // Where nothing else runs, the newest container of this spec, stopped or in a restart loop,
        // is what should run here. A rollback also goes back to one that was kept while another ran.
        let startable = running.iter().all(fits) || self.input.prefer_kept;
        if let Some(kept) = here.iter().copied().filter(|_| startable).find(fits) {
            return Some(self.start(desired, kept, (&here, &running), obstacles));
        }
        Some(self.create(desired, &here, &running, obstacles))
    }

    /// Nothing is wanted here.
    fn remove(&self, running: &[&Container], obstacles: &mut Vec<Remark>) -> Option<SlotPlan> {
        let newest = running.first()?;
        self.names.check(None, running, obstacles);
        let reason = format!("`{}` is no longer wanted here", newest.name);
        Some(self.slot(Change::Remove, None, running, reason))
    }

    /// It is wanted here, and to be stopped.
    fn stop(&self, running: &[&Container], obstacles: &mut Vec<Remark>) -> Option<SlotPlan> {
        running.first()?;
        self.names.check(None, running, obstacles);
        let reason = "it stays stopped until a start or a deploy".to_owned();
        Some(self.slot(Change::Stop, None, running, reason))
    }

    /// What is wanted runs already. Others beside it are what an interrupted deploy left.
    fn keep(
        &self,
        desired: &Desired,
        kept: &Container,
        (here, running): (&[&Container], &[&Container]),
        obstacles: &mut Vec<Remark>,
    ) -> SlotPlan {
        let others = others_than(kept, running);
        self.names.check(None, &others, obstacles);
        let incoming = self.existing(desired, kept);
        if !others.is_empty() {
            let names = text::list(others.iter().map(|container| &container.name));
            let reason = format!(
                "an interrupted deploy left {names} running beside `{}`",
                kept.name
            );
            return self.slot(Change::Replace, Some(incoming), &others, reason);
        }
        let address = self.input.environment.host(self.names.host);
        let address = address.map_or("", |host| &*host.address);
        let ports = kept.ports.on_host(address);
        let in_maintenance = ports
            .iter()
            .any(|port| self.facts.left_in_maintenance.contains(port));
        let wanted = desired.spec.restart.as_deref().unwrap_or("no");
        let (change, reason) = if kept.restart != wanted {
            let reason = format!("its restart policy is {}, should be {wanted}", kept.restart);
            (Change::Start, reason)
        } else if in_maintenance {
            let name = &kept.name;
            let reason = format!("an interrupted deploy left `{name}` in maintenance mode");
            (Change::Start, reason)
        } else if let Some(release) = self.cut_off(kept, &incoming.hash) {
            let name = &kept.name;
            let reason = format!("{release} ended before it saw that `{name}` serves");
            let slot = self.slot(Change::Confirm, Some(incoming), &[], reason);
            return self.with_a_way_back(slot, here);
        } else {
            (Change::Keep, String::new())
        };
        self.slot(change, Some(incoming), &[], reason)
    }

    /// What is wanted is there and not up.
    fn start(
        &self,
        desired: &Desired,
        kept: &Container,
        (here, running): (&[&Container], &[&Container]),
        obstacles: &mut Vec<Remark>,
    ) -> SlotPlan {
        let (incoming, outgoing) = (self.existing(desired, kept), others_than(kept, running));
        self.names.check(Some(&incoming.name), &outgoing, obstacles);
        let (host, recipe) = (self.names.host, &self.recipe.name);
        let reason = match self.input.history.stopped(host, recipe) {
            Some(stopped) if running.is_empty() => stopped.to_string(),
            _ => format!("`{}` exists but is {}", kept.name, kept.state.status),
        };
        let change = if outgoing.is_empty() {
            Change::Start
        } else {
            Change::Replace
        };
        let slot = SlotPlan {
            differences: self.differences(desired, outgoing.first().copied()),
            ..self.slot(change, Some(incoming), &outgoing, reason)
        };
        self.with_a_way_back(slot, here)
    }

    /// What is wanted is not there.
    fn create(
        &self,
        desired: &Desired,
        here: &[&Container],
        running: &[&Container],
        obstacles: &mut Vec<Remark>,
    ) -> SlotPlan {
        let incoming = self.new_container(desired);
        self.names.check(Some(&incoming.name), running, obstacles);
        let (change, reason) = if !running.is_empty() {
            let old = text::list(running.iter().map(|container| &container.name));
            let forced = if self.input.forced { "forced, " } else { "" };
            (Change::Replace, format!("{forced}in place of {old}"))
        } else if here.is_empty() {
            (Change::Create, "nothing runs here yet".to_owned())
        } else {
            (Change::Create, "nothing runs here now".to_owned())
        };
        let slot = SlotPlan {
            differences: self.differences(desired, running.first().copied()),
            ..self.slot(change, Some(incoming), running, reason)
        };
        self.with_a_way_back(slot, here)
    }

    /// The release that was to bring about what runs here, or to replace it, and ended before it had seen that
    /// anything serves.
    fn cut_off(&self, container: &Container, hash: &SpecHash) -> Option<Number> {
        let started_at = container.state.started_at.parse().ok();
        let (host, recipe) = (self.names.host, &self.recipe.name);
        let history = self.input.history;
        history.unconfirmed(host, recipe, hash.as_str(), started_at)
    }

    /// Where a release was cut off and left nothing running, a failure goes back to the container that ran
    /// before it: that is what was taken away here.
    fn with_a_way_back(&self, slot: SlotPlan, here: &[&Container]) -> SlotPlan {
        let (host, recipe) = (self.names.host, &self.recipe.name);
        let lost = self.input.history.taken_away(host, recipe);
        let is_wanted = |hash: &str| {
            let incoming = slot.incoming.as_ref();
            incoming.is_some_and(|incoming| incoming.hash.as_str() == hash)
        };
        let Some(before) =
            lost.filter(|before| slot.outgoing.is_empty() && !is_wanted(&before.hash))
        else {
            return slot;
        };
        let mut kept = here.iter().copied();
        let Some(kept) = kept.find(|container| spec_label(container) == before.hash) else {
            return slot;
        };
        SlotPlan {
            outgoing: vec![self.names.of_stopped(kept, self.input.release)],
            outgoing_restart: Some(
                before
                    .spec
                    .restart
                    .clone()
                    .unwrap_or_else(|| "no".to_owned()),
            ),
            ..slot
        }
    }

    pub(super) fn slot(
        &self,
        change: Change,
        incoming: Option<Incoming>,
        outgoing: &[&Container],
        reason: String,
    ) -> SlotPlan {
        let outgoing = outgoing.iter();
        SlotPlan {
            host: self.names.host.clone(),
            instance: self.names.instance,
            change,
            incoming,
            outgoing: outgoing.map(|container| self.names.of(container)).collect(),
            outgoing_restart: None,
            reason,
            differences: Vec::new(),
        }
    }

    fn existing(&self, desired: &Desired, container: &Container) -> Incoming {
        let name = if container.state.running {
            self.names.of(container)
        } else {
            self.names.of_stopped(container, self.input.release)
        };
        let identity = container.identity();
        Incoming {
            name,
            made_by: identity.map_or(self.input.release, |identity| Number(identity.release)),
            exists: true,
            runs: container.state.is_up(),
            hash: self.hash_for(desired, container),
            desired: desired.clone(),
        }
    }

    fn new_container(&self, desired: &Desired) -> Incoming {
        Incoming {
            name: self.names.of_new(self.input.release),
            made_by: self.input.release,
            exists: false,
            runs: false,
            hash: hash_of(desired, self.input.new_key),
            desired: desired.clone(),
        }
    }

    fn hash_for(&self, desired: &Desired, container: &Container) -> SpecHash {
        let identity = container.identity();
        let key = identity
            .as_ref()
            .and_then(|identity| identity.spec.key())
            .unwrap_or(self.input.new_key);
        hash_of(desired, key)
    }

    fn differences(&self, desired: &Desired, old: Option<&Container>) -> Vec<Difference> {
        let Some(old) = old else { return Vec::new() };
        let hash = spec_label(old);
        // The same once more, as it was forced.
        if self.hash_for(desired, old).as_str() == hash {
            return Vec::new();
        }
        let record = self.input.history.newest_on(self.names.host, |record| {
            record
                .recipes
                .get(&*self.recipe.name)
                .is_some_and(|recipe| recipe.hash == hash)
        });
        let Some(recorded) = record.and_then(|record| record.recipes.get(&*self.recipe.name))
        else {
            // The container itself shows only its image.
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
                new: Some(format!("{names} (value changed)")),
            }];
        }
        found
    }
}

/// The hash of what is wanted, with its secrets under a key.
fn hash_of(desired: &Desired, key: &str) -> SpecHash {
    let Desired {
        spec,
        image,
        instances: _,
        secrets,
        unread,
        stopped: _,
    } = desired;
    match unread {
        Some(hash) => SpecHash::from_labels(hash, None),
        None => SpecHash::of(spec, image, secrets, key),
    }
}

/// The running containers that are not `kept`.
fn others_than<'a>(kept: &Container, running: &[&'a Container]) -> Vec<&'a Container> {
    let others = running.iter().copied();
    others.filter(|other| other.id != kept.id).collect()
}

pub(super) fn spec_label(container: &Container) -> String {
    container
        .identity()
        .map(|identity| identity.spec.as_str().to_owned())
        .unwrap_or_default()
}
