//! The progress of one host.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    countdown::Countdown,
    transfer::{Transfer, Unit},
    work::{self, Share, WHOLE},
};

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
    /// Times that pass, or have passed.
    countdowns: Vec<Countdown>,
    /// The work of what has ended.
    ended: u64,
    /// The share of the work that is done, once there is a total.
    share: Option<Share>,
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

impl HostProgress {
    /// A host that has done nothing yet.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Whether every step it has is done.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.total.is_some_and(|total| self.done >= total)
    }

    /// The share of the work that is done, as a part of [`WHOLE`]; `None` while nothing is known of the work. It
    /// never falls.
    pub(crate) fn share(&self, now: Timestamp) -> Option<u64> {
        if self.is_done() {
            return Some(WHOLE);
        }
        Some(self.share?.of(self.done_by(now)))
    }

    /// The time that passes now, if it does.
    pub(crate) fn countdown(&self, now: Timestamp) -> Option<&Countdown> {
        let passing = |countdown: &&Countdown| !countdown.is_over(now);
        self.countdowns.iter().rev().find(passing)
    }

    /// The work that is done, the parts of what is in progress included.
    fn done_by(&self, now: Timestamp) -> u64 {
        let transfers = self.open.iter().filter_map(|open| open.transfer.as_ref());
        let sent = transfers.map(Transfer::work);
        let passed = self
            .countdowns
            .iter()
            .map(|it| work::of_time(it.passed(now)));
        self.ended + sent.sum::<u64>() + passed.sum::<u64>()
    }

    /// The steps and the waiting that are still to come.
    pub(super) fn plan(&mut self, steps: u64, waiting: Duration, at: Timestamp) {
        // What was done before anything was known of the whole does not count.
        if self.total.is_none() {
            (self.done, self.ended) = (0, 0);
            self.countdowns.clear();
        }
        self.total = Some(self.done + steps);
        let done = self.done_by(at);
        let total = done + work::of_steps(steps) + work::of_time(waiting);
        match &mut self.share {
            Some(share) => share.change(done, done, total),
            None => self.share = Some(Share::new(done, total)),
        }
    }

    /// A step begins.
    pub(super) fn begin(&mut self, recipe: Option<&str>, step: &str, at: Timestamp) {
        self.failed = None;
        self.open.push(OpenStep {
            recipe: recipe.map(str::to_owned),
            step: step.to_owned(),
            since: at,
            last_shown: at,
            waiting: None,
            transfer: None,
        });
    }

    /// A step has ended well.
    pub(super) fn finish(&mut self, recipe: Option<&str>, step: &str, at: Timestamp) {
        self.done += 1;
        self.change(at, |host| {
            host.ended += work::of_steps(1) + host.close(recipe, step);
        });
    }

    /// A step has failed.
    pub(super) fn fail(&mut self, recipe: Option<&str>, step: &str, at: Timestamp) {
        self.change(at, |host| {
            host.close(recipe, step);
        });
        self.failed = Some(step.to_owned());
    }

    /// A step waits for something, and has seen something else: time that passed for it has to pass anew.
    pub(super) fn wait(
        &mut self,
        recipe: Option<&str>,
        waits_for: &str,
        last_seen: &str,
        at: Timestamp,
    ) {
        self.change(at, |host| {
            host.countdowns
                .retain(|countdown| countdown.is_over(at) || !countdown.is_for(recipe, waits_for));
        });
        let of_recipe = |open: &&mut OpenStep| open.recipe.as_deref() == recipe;
        if let Some(open) = self.open.iter_mut().rev().find(of_recipe) {
            open.waiting = Some((waits_for.to_owned(), last_seen.to_owned()));
        }
    }

    /// Only time has to pass now.
    pub(super) fn count_down(&mut self, countdown: Countdown) {
        self.countdowns.push(countdown);
    }

    /// Changes what is done or in progress; the share stays or rises.
    fn change<T>(&mut self, at: Timestamp, change: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.done_by(at);
        let result = change(self);
        let done = self.done_by(at);
        if let Some(share) = &mut self.share {
            share.change(before, done, share.total());
        }
        result
    }

    /// The latest step has sent so many bytes, or has got so many layers. How many there are adds to the work in
    /// all.
    pub(super) fn transfer(
        &mut self,
        what: &str,
        unit: Unit,
        moved: u64,
        total: Option<u64>,
        at: Timestamp,
    ) {
        let done = self.done_by(at);
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let known = open.transfer.as_ref().map_or(0, Transfer::total_work);
        match &mut open.transfer {
            Some(transfer) if transfer.what == what => transfer.moved(at, moved, total),
            other => *other = Some(Transfer::new(what, unit, at, moved, total)),
        }
        let total = open.transfer.as_ref().map_or(0, Transfer::total_work);
        if let Some(share) = &mut self.share {
            share.change(done, done, share.total() + total.saturating_sub(known));
        }
    }

    /// Takes a step away, and returns the work that was a part of it.
    fn close(&mut self, recipe: Option<&str>, step: &str) -> u64 {
        let is_it = |open: &OpenStep| open.recipe.as_deref() == recipe && open.step == step;
        let closed = self.open.extract_if(.., |open| is_it(open));
        closed
            .filter_map(|open| open.transfer)
            .map(|transfer| transfer.total_work())
            .sum()
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
