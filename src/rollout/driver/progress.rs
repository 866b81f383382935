//! What is told of steps and gates while a rollout runs.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    event::{EventKind, Events},
    rollout::machine::{Gate, Observation, Purpose, Side, Step, Verdict},
    rollout::slot::SlotRun,
};

/// A step as it is shown.
pub(super) fn describe_step(run: &SlotRun, side: Side, step: Step) -> String {
    let names = run.names(side);
    match step {
        Step::Start => format!("start {names}"),
        Step::EnterMaintenance => format!("put {names} into maintenance"),
        Step::Stop => format!("stop {names}"),
        Step::Deregister => format!("deregister {names}"),
        Step::Retire => format!("keep {names} for a rollback"),
    }
}

/// A gate as it is shown while it is watched.
pub(super) fn describe_gate(run: &SlotRun, side: Side, gate: Gate, purpose: Purpose) -> String {
    match purpose {
        Purpose::Reach => format!("wait for {}", what_a_gate_waits_for(run, side, gate)),
        Purpose::Confirm => format!("see that {} is still ready", run.names(side)),
        Purpose::Monitor => format!("see that {} stays ready", run.names(side)),
    }
}

/// A poisoned lock has its value all the same: a text cannot be half written.
pub(super) fn lock(text: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the looks of one watch tell.
pub(super) struct Told {
    events: Events,
    host: String,
    recipe: Option<String>,
    names: String,
    waits_for: String,
    purpose: Purpose,
    pub(super) last_seen: Arc<Mutex<String>>,
    was_well: bool,
}

impl Told {
    pub(super) fn new(
        events: Events,
        run: &SlotRun,
        (side, gate): (Side, Gate),
        purpose: Purpose,
    ) -> Self {
        Self {
            events,
            host: run.reached.name().to_string(),
            recipe: Some(run.recipe.name.to_string()),
            names: run.names(side),
            // Not the same words: the moment when it first was ready can be told from the second look.
            waits_for: match purpose {
                Purpose::Confirm => format!("{} to be ready still", run.names(side)),
                Purpose::Reach | Purpose::Monitor => what_a_gate_waits_for(run, side, gate),
            },
            purpose,
            last_seen: Arc::default(),
            was_well: true,
        }
    }

    /// A step begins, unless the watch outlasts all steps.
    pub(super) fn begins(&self, step: &str) {
        if self.purpose != Purpose::Monitor {
            self.events.send(EventKind::StepStarted {
                host: self.host.clone(),
                recipe: self.recipe.clone(),
                step: step.to_owned(),
            });
        }
    }

    pub(super) fn sees(&mut self, observation: &Observation, breaks_are_news: bool) {
        let Observation { verdict, detail } = observation;
        let is_well = *verdict == Verdict::Holds;
        if self.purpose == Purpose::Monitor {
            // That it is dead is told when the watch fails.
            if *verdict == Verdict::NotYet && self.was_well && breaks_are_news {
                let message = format!(
                    "{} is not ready any more, so no other is begun: {detail}",
                    self.names
                );
                self.events.send(EventKind::Warning {
                    host: Some(self.host.clone()),
                    message,
                    hint: None,
                });
            }
        } else if *detail != *lock(&self.last_seen) {
            lock(&self.last_seen).clone_from(detail);
            self.events.send(EventKind::Waiting {
                host: self.host.clone(),
                recipe: self.recipe.clone(),
                waits_for: self.waits_for.clone(),
                last_seen: detail.clone(),
            });
        }
        self.was_well = is_well;
    }
}

pub(super) fn what_a_gate_waits_for(run: &SlotRun, side: Side, gate: Gate) -> String {
    let names = run.names(side);
    match gate {
        Gate::Quorum => "every Consul server to be there".to_owned(),
        Gate::Leader => "the other Consul servers to have a leader".to_owned(),
        Gate::Ready => format!("{names} to be ready"),
        Gate::Routed => format!("the balancers to route to {names}"),
        Gate::Unrouted => format!("the balancers to leave {names}"),
        Gate::Idle => format!("the connections of {names} to end"),
        Gate::Gone => format!("Consul to drop {names}"),
    }
}
