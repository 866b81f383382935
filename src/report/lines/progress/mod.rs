//! The progress of each host, from the events alone. Times are those of the events, so that a recorded
//! list of events shows the same whenever it is played.

mod countdown;
mod host;
mod transfer;
mod work;

use std::collections::HashMap;

use jiff::Timestamp;

pub(crate) use self::{
    countdown::Countdown,
    host::{HostProgress, OpenStep, title},
    transfer::{Unit, since},
    work::WHOLE,
};
use crate::{
    event::{Event, EventKind},
    report::text::columns,
};

/// The progress of every host of the run, in the inventory's order.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    hosts: Vec<HostProgress>,
    places: HashMap<String, usize>,
    /// The width of the widest name.
    name_width: usize,
}

impl Progress {
    pub(crate) fn hosts(&self) -> &[HostProgress] {
        &self.hosts
    }

    pub(crate) fn hosts_mut(&mut self) -> &mut [HostProgress] {
        &mut self.hosts
    }

    /// The widest name of a host, in columns.
    pub(crate) fn name_width(&self) -> usize {
        self.name_width
    }

    /// Where a host stands in the inventory's order.
    pub(crate) fn place(&self, host: &str) -> Option<usize> {
        self.places.get(host).copied()
    }

    pub(crate) fn event(&mut self, Event { at, kind }: &Event) {
        match kind {
            EventKind::Started { hosts, .. } => {
                for host in hosts {
                    self.host(host);
                }
            }
            EventKind::HostSteps {
                host,
                total,
                waiting,
            } => self.host(host).plan(*total, *waiting, *at),
            EventKind::StepStarted { host, recipe, step } => {
                self.host(host).begin(recipe.as_deref(), step, *at);
            }
            EventKind::StepFinished {
                host, recipe, step, ..
            } => self.host(host).finish(recipe.as_deref(), step, *at),
            EventKind::StepFailed {
                host, recipe, step, ..
            } => self.host(host).fail(recipe.as_deref(), step, *at),
            EventKind::Waiting {
                host,
                recipe,
                waits_for,
                last_seen,
            } => (self.host(host)).wait(recipe.as_deref(), waits_for, last_seen, *at),
            EventKind::Countdown {
                host,
                recipe,
                waits_for,
                lasts,
            } => {
                let countdown = Countdown::new(recipe.as_deref(), waits_for, *at, *lasts);
                self.host(host).count_down(countdown);
            }
            EventKind::Transfer {
                host,
                what,
                bytes,
                total,
            } => (self.host(host)).transfer(what, Unit::Bytes, *bytes, *total, *at),
            EventKind::Pull {
                host,
                what,
                layers,
                total,
            } => (self.host(host)).transfer(what, Unit::Layers, *layers, Some(*total), *at),
            // A host whose output is shown is not quiet.
            EventKind::Output { host, .. } => self.mark_shown(host, *at),
            _ => {}
        }
    }

    /// The user saw a line of this host's steps.
    pub(super) fn mark_shown(&mut self, host: &str, at: Timestamp) {
        for open in &mut self.host(host).open {
            open.last_shown = at;
        }
    }

    fn host(&mut self, name: &str) -> &mut HostProgress {
        let place = *self.places.entry(name.to_owned()).or_insert_with(|| {
            self.name_width = self.name_width.max(columns(name));
            self.hosts.push(HostProgress::new(name));
            self.hosts.len() - 1
        });
        &mut self.hosts[place]
    }
}
