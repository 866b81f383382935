//! Finished slots stay watched until the rollout ends, as one that was healthy once may not be so later.

use std::time::Duration;

use super::{Phase, Rollout, State};
use crate::rollout::machine::{
    Action, Failure, Gate, Observation, Purpose, Side, Slot, Verdict, WatchEnd, failure,
};

/// The watch of one finished slot.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    last_seen: Option<Observation>,
    /// Since when it is not known to be ready: at first, since it was last seen in hand.
    unready_since: Option<Duration>,
}

impl Rollout {
    /// Goes on watching a slot that is done. Where all is taken back, it will not be for long.
    pub(super) fn keep(&mut self, at: usize, now: Duration, actions: &mut Vec<Action>) {
        let takes_all_back = matches!(self.phase, Phase::TakingBack { all: true });
        if !self.places[at].replacement.has_incoming || self.is_lost(at) || takes_all_back {
            return;
        }
        let keep = Keep {
            last_seen: None,
            unready_since: Some(now),
        };
        self.kept.insert(at, keep);
        actions.push(Action::Watch {
            slot: Slot(at),
            side: Side::New,
            gate: Gate::Ready,
            purpose: Purpose::Keep,
        });
    }

    /// Ends the watch of a finished slot, and says whether there was one.
    pub(super) fn unkeep(&mut self, at: usize, end: WatchEnd, actions: &mut Vec<Action>) -> bool {
        let was_kept = self.kept.remove(&at).is_some();
        if was_kept {
            actions.push(Action::Unwatch {
                slot: Slot(at),
                side: Side::New,
                gate: Gate::Ready,
                end,
            });
        }
        was_kept
    }

    /// Takes in one look at the container of a finished slot.
    pub(super) fn kept_observed(
        &mut self,
        at: usize,
        observation: Observation,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(keep) = self.kept.get_mut(&at) else {
            return;
        };
        match observation.verdict {
            Verdict::Holds => keep.unready_since = None,
            Verdict::NotYet => {
                keep.unready_since.get_or_insert(now);
            }
            Verdict::Never => {
                let failure = failure::fell(&self.places[at].replacement.host, &observation.detail);
                self.fall(at, true, &failure, now, actions);
                return;
            }
        }
        keep.last_seen = Some(observation);
    }

    /// Lets finished slots that have not been ready for too long fail.
    pub(super) fn let_kept_fall(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for at in 0..self.places.len() {
            // Each may change what the next one means.
            if let Some(keep) = self.kept.get(&at)
                && self.is_due_at(keep).is_some_and(|due| due <= now)
            {
                let host = &self.places[at].replacement.host;
                let (limit, seen) = (self.policy.healthy_deadline, keep.last_seen.as_ref());
                let failure = failure::stays_unready(host, limit, seen);
                self.fall(at, false, &failure, now, actions);
            }
        }
    }

    fn fall(
        &mut self,
        at: usize,
        is_dead: bool,
        failure: &Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        self.unkeep(at, WatchEnd::Failed, actions);
        self.updated.retain(|other| *other != at);
        self.places[at].state = State::Fallen { is_dead };
        self.count(at, failure);
        self.take_back_if_over(now, actions);
    }

    pub(super) fn fallen(&self) -> impl Iterator<Item = (usize, bool)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(at, place)| match place.state {
            State::Fallen { is_dead } => Some((at, is_dead)),
            _ => None,
        })
    }

    /// Which fallen slot may be returned now: a dead one at once, as it serves nobody, and before healthy
    /// ones that are taken back with it. One that is not ready may serve some, so it takes its turn.
    pub(super) fn may_return(&self) -> Option<usize> {
        let has_room = self.in_hand().count() < self.width();
        let mut may = self.fallen().filter(|(_, is_dead)| *is_dead || has_room);
        may.next().map(|(at, _)| at)
    }

    /// When a finished slot has not been ready for too long. Where all is taken back, so is this one.
    ///
    /// Also when the rollout has waited for as long in all: finished slots that come and go in turn must
    /// not hold it up for ever.
    pub(super) fn is_due_at(&self, keep: &Keep) -> Option<Duration> {
        let takes_all_back = matches!(self.phase, Phase::TakingBack { all: true });
        let unready_since = keep.unready_since.filter(|_| !takes_all_back)?;
        let own = Some(unready_since).filter(|_| !self.excuses_the_kept());
        let since = own.into_iter().chain(self.stalled_since).min()?;
        Some(since.saturating_add(self.policy.healthy_deadline))
    }

    /// Whether finished slots may be unready through no fault of theirs: while one server is replaced, no
    /// other sees the cluster whole.
    fn excuses_the_kept(&self) -> bool {
        self.policy.quorum && self.in_hand().next().is_some()
    }

    /// Counts the time of unready slots anew as long as they are excused.
    pub(super) fn excuse_the_kept(&mut self, now: Duration) {
        if self.excuses_the_kept() {
            let unready = self
                .kept
                .values_mut()
                .filter_map(|keep| keep.unready_since.as_mut());
            unready.for_each(|since| *since = now);
        }
    }

    /// Takes note whether finished slots alone hold the rollout up.
    pub(super) fn note_stall(&mut self, now: Duration) {
        let may_go_on = matches!(
            self.phase,
            Phase::Canaries | Phase::Rest | Phase::TakingBack { .. }
        );
        let is_stalled = may_go_on && self.in_hand().next().is_none();
        self.stalled_since = is_stalled.then(|| self.stalled_since.unwrap_or(now));
    }

    /// Whether every finished slot was seen ready at the last look, and looked at since it is done.
    pub(super) fn all_kept_hold(&self) -> bool {
        self.kept.values().all(|keep| keep.unready_since.is_none())
    }

    /// Whether a finished slot was not ready at the last look. One that was not looked at yet is not held
    /// against it: it was ready a moment ago.
    pub(super) fn any_kept_is_unready(&self) -> bool {
        let mut kept = self.kept.values();
        kept.any(|keep| keep.unready_since.is_some() && keep.last_seen.is_some())
    }
}
