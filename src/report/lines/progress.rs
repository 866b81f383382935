//! The progress of each host, from the events alone. Times are those of the events, so that a recorded
//! list of events shows the same whenever it is played.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

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

/// The progress of one host.
#[derive(Debug, Default)]
pub(crate) struct HostProgress {
    pub(crate) name: String,
    /// Steps that ended well.
    pub(crate) done: u64,
    /// Steps in all, once known.
    pub(crate) total: Option<u64>,
    /// Steps in progress, the latest last.
    pub(crate) open: Vec<OpenStep>,
    /// The step that failed, until the host begins another.
    pub(crate) failed: Option<String>,
}

/// A step in progress.
#[derive(Debug)]
pub(crate) struct OpenStep {
    pub(crate) recipe: Option<String>,
    pub(crate) step: String,
    pub(crate) since: Timestamp,
    /// When the user last saw a line of it.
    pub(crate) last_shown: Timestamp,
    /// What it waits for, and what it last saw.
    pub(crate) waiting: Option<(String, String)>,
    pub(crate) transfer: Option<Transfer>,
}

/// Bytes being sent.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) what: String,
    pub(crate) bytes: u64,
    pub(crate) total: Option<u64>,
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

    pub(crate) fn event(&mut self, Event { at, kind }: &Event) {
        match kind {
            EventKind::Started { hosts, .. } => {
                for host in hosts {
                    self.host(host);
                }
            }
            EventKind::HostSteps { host, total } => {
                let host = self.host(host);
                (host.done, host.total) = (0, Some(*total));
            }
            EventKind::StepStarted { host, recipe, step } => {
                let host = self.host(host);
                host.failed = None;
                host.open.push(OpenStep {
                    recipe: recipe.clone(),
                    step: step.clone(),
                    since: *at,
                    last_shown: *at,
                    waiting: None,
                    transfer: None,
                });
            }
            EventKind::StepFinished {
                host, recipe, step, ..
            } => {
                let host = self.host(host);
                host.close(recipe.as_deref(), step);
                host.done += 1;
            }
            EventKind::StepFailed {
                host, recipe, step, ..
            } => {
                let host = self.host(host);
                host.close(recipe.as_deref(), step);
                host.failed = Some(step.clone());
            }
            EventKind::Waiting {
                host,
                recipe,
                waits_for,
                last_seen,
            } => {
                let of_recipe = |open: &&mut OpenStep| open.recipe == *recipe;
                if let Some(open) = self.host(host).open.iter_mut().rev().find(of_recipe) {
                    open.waiting = Some((waits_for.clone(), last_seen.clone()));
                }
            }
            EventKind::Transfer {
                host,
                what,
                bytes,
                total,
            } => {
                if let Some(open) = self.host(host).open.last_mut() {
                    open.transfer = Some(Transfer {
                        what: what.clone(),
                        bytes: *bytes,
                        total: *total,
                    });
                }
            }
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
            self.hosts.push(HostProgress {
                name: name.to_owned(),
                ..HostProgress::default()
            });
            self.hosts.len() - 1
        });
        &mut self.hosts[place]
    }
}

impl HostProgress {
    /// Whether every step it has is done.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.total.is_some_and(|total| self.done >= total)
    }

    fn close(&mut self, recipe: Option<&str>, step: &str) {
        self.open
            .retain(|open| open.recipe.as_deref() != recipe || open.step != step);
    }
}

impl OpenStep {
    /// The step, with its recipe where it does not name it.
    pub(crate) fn title(&self) -> String {
        title(self.recipe.as_deref(), &self.step)
    }
}

/// `recipe: step`, or the step alone where it names the recipe already.
pub(crate) fn title(recipe: Option<&str>, step: &str) -> String {
    match recipe {
        Some(recipe) if !step.contains(recipe) => format!("{recipe}: {step}"),
        _ => step.to_owned(),
    }
}

/// The time from `then` to `now`; zero when the clock went back.
pub(crate) fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}
