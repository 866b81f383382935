//! The progress of a watch: what its looks saw, where that is news.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::describe::what_a_gate_waits_for;
use crate::{
    event::{EventKind, Events},
    rollout::{
        machine::{Gate, Observation, Policy, Purpose, Side, Verdict},
        slot::Placement,
    },
};

/// A poisoned lock has its value all the same: a text cannot be half written.
pub(super) fn lock(text: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The progress of one watch, as events.
pub(super) struct WatchProgress {
    events: Events,
    host: String,
    recipe: Option<String>,
    names: String,
    waits_for: String,
    purpose: Purpose,
    pub(super) last_seen: Arc<Mutex<String>>,
    was_well: bool,
    /// Servers of one cluster see each other go while they are replaced; that is no news.
    breaks_are_news: bool,
    /// How long it must hold.
    hold: Duration,
    /// Whether it holds, and the time passes.
    counts: bool,
}

impl WatchProgress {
    /// The progress of a watch that begins.
    pub(super) fn new(
        placement: &Placement,
        (side, gate): (Side, Gate),
        purpose: Purpose,
        policy: &Policy,
    ) -> Self {
        let holds_for_a_time = gate == Gate::Ready && purpose == Purpose::Reach;
        Self {
            events: placement.context.events.clone(),
            host: placement.reached.name().to_string(),
            recipe: Some(placement.context.recipe.name.to_string()),
            names: placement.names(side),
            // Other words than for the first wait, so that the two can be told apart.
            waits_for: match purpose {
                Purpose::Confirm => format!("{} to still be ready", placement.names(side)),
                Purpose::Reach | Purpose::Monitor => what_a_gate_waits_for(placement, side, gate),
            },
            purpose,
            last_seen: Arc::default(),
            was_well: true,
            breaks_are_news: !policy.quorum,
            hold: if holds_for_a_time {
                policy.min_healthy_time
            } else {
                Duration::ZERO
            },
            counts: false,
        }
    }

    /// Reports that a step begins, unless the watch outlasts all steps.
    pub(super) fn begins(&self, step: &str) {
        if self.purpose != Purpose::Monitor {
            self.events.send(EventKind::StepStarted {
                host: self.host.clone(),
                recipe: self.recipe.clone(),
                step: step.to_owned(),
            });
        }
    }

    /// Reports what a look saw, if it is news.
    pub(super) fn observed(&mut self, observation: &Observation) {
        let Observation { verdict, detail } = observation;
        let is_well = *verdict == Verdict::Holds;
        if self.purpose == Purpose::Monitor {
            // That it is dead is reported when the watch fails.
            if *verdict == Verdict::NotYet && self.was_well && self.breaks_are_news {
                let message = format!(
                    "{} is no longer ready, so no other container is started: {detail}",
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
        self.count_down(is_well);
        self.was_well = is_well;
    }
    /// Reports that only time has to pass, when that begins.
    fn count_down(&mut self, is_well: bool) {
        if is_well && !self.counts && !self.hold.is_zero() {
            self.events.send(EventKind::Countdown {
                host: self.host.clone(),
                recipe: self.recipe.clone(),
                waits_for: self.waits_for.clone(),
                lasts: self.hold,
            });
        }
        self.counts = is_well;
    }
}
