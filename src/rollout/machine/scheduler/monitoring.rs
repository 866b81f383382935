//! Updated slots are monitored until the rollout ends, as one that was healthy once may not be so later.

use std::time::Duration;

use super::state::{Monitor, Phase, Rollout, State};
use crate::rollout::machine::{
    action::Action,
    failure,
    gate::{Gate, Observation, Purpose, Verdict, WatchEnd},
    outcome::Failure,
    slot::{Side, Slot},
};

impl Rollout {
    /// Begins to monitor a slot that is updated. Where all is reverted, it will not be for long.
    pub(super) fn monitor(&mut self, at: usize, now: Duration, actions: &mut Vec<Action>) {
        let reverts_all = matches!(self.phase, Phase::Reverting { all: true });
        if !self.places[at].replacement.has_incoming || self.is_lost(at) || reverts_all {
            return;
        }
        let monitor = Monitor {
            last_seen: None,
            unready_since: Some(now),
        };
        self.monitored.insert(at, monitor);
        actions.push(Action::Watch {
            slot: Slot(at),
            side: Side::New,
            gate: Gate::Ready,
            purpose: Purpose::Monitor,
        });
    }

    /// Ends the monitoring of an updated slot, and says whether there was one.
    pub(super) fn end_monitoring(
        &mut self,
        at: usize,
        end: WatchEnd,
        actions: &mut Vec<Action>,
    ) -> bool {
        let was_monitored = self.monitored.remove(&at).is_some();
        if was_monitored {
            actions.push(Action::Unwatch {
                slot: Slot(at),
                side: Side::New,
                gate: Gate::Ready,
                end,
            });
        }
        was_monitored
    }

    /// Takes in one look at the container of an updated slot.
    pub(super) fn observed_after_update(
        &mut self,
        at: usize,
        observation: Observation,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(monitor) = self.monitored.get_mut(&at) else {
            return;
        };
        match observation.verdict {
            Verdict::Holds => monitor.unready_since = None,
            Verdict::NotYet => {
                monitor.unready_since.get_or_insert(now);
            }
            Verdict::Never => {
                let failure = failure::exited_after_update(
                    &self.places[at].replacement.host,
                    &observation.detail,
                );
                self.fail_after_update(at, true, &failure, now, actions);
                return;
            }
        }
        monitor.last_seen = Some(observation);
    }

    /// Fails updated slots that have not been ready for too long.
    pub(super) fn fail_unready_after_update(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for at in 0..self.places.len() {
            // Each may change what the next one means.
            if let Some(monitor) = self.monitored.get(&at)
                && self.is_due_at(monitor).is_some_and(|due| due <= now)
            {
                let host = &self.places[at].replacement.host;
                let (limit, seen) = (self.policy.healthy_deadline, monitor.last_seen.as_ref());
                let failure = failure::stays_unready(host, limit, seen);
                self.fail_after_update(at, false, &failure, now, actions);
            }
        }
    }

    fn fail_after_update(
        &mut self,
        at: usize,
        exited: bool,
        failure: &Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        self.end_monitoring(at, WatchEnd::Failed, actions);
        self.updated.retain(|other| *other != at);
        self.places[at].state = State::Unhealthy { exited };
        self.count(at, failure);
        self.revert_if_over_max_failures(now, actions);
    }

    pub(super) fn unhealthy(&self) -> impl Iterator<Item = (usize, bool)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(at, place)| match place.state {
            State::Unhealthy { exited } => Some((at, exited)),
            _ => None,
        })
    }

    /// Which unhealthy slot may be returned now: a dead one at once, as it serves nobody, and before healthy
    /// ones that are reverted with it. One that is not ready may serve some, so it takes its turn.
    pub(super) fn next_to_return(&self) -> Option<usize> {
        let has_room = self.in_progress().count() < self.width();
        let mut may = self.unhealthy().filter(|(_, exited)| *exited || has_room);
        may.next().map(|(at, _)| at)
    }

    /// When an updated slot has not been ready for too long. Where all is reverted, so is this one.
    ///
    /// Also when the rollout has waited for as long in all: updated slots that come and go in turn must
    /// not hold it up for ever.
    pub(super) fn is_due_at(&self, monitor: &Monitor) -> Option<Duration> {
        let reverts_all = matches!(self.phase, Phase::Reverting { all: true });
        let unready_since = monitor.unready_since.filter(|_| !reverts_all)?;
        let own = Some(unready_since).filter(|_| !self.excuses_monitored());
        let since = own.into_iter().chain(self.stalled_since).min()?;
        Some(since.saturating_add(self.policy.healthy_deadline))
    }

    /// Whether updated slots may be unready through no fault of theirs: while one server is replaced, no
    /// other sees the cluster whole.
    fn excuses_monitored(&self) -> bool {
        self.policy.quorum && self.in_progress().next().is_some()
    }

    /// Counts the time of unready slots anew as long as they are excused.
    pub(super) fn excuse_monitored(&mut self, now: Duration) {
        if self.excuses_monitored() {
            let unready = self
                .monitored
                .values_mut()
                .filter_map(|monitor| monitor.unready_since.as_mut());
            unready.for_each(|since| *since = now);
        }
    }

    /// Takes note whether updated slots alone hold the rollout up.
    pub(super) fn note_stall(&mut self, now: Duration) {
        let may_go_on = matches!(
            self.phase,
            Phase::Canaries | Phase::Rest | Phase::Reverting { .. }
        );
        let is_stalled = may_go_on && self.in_progress().next().is_none();
        self.stalled_since = is_stalled.then(|| self.stalled_since.unwrap_or(now));
    }

    /// Whether every updated slot was seen ready at the last look, and looked at since it is done.
    pub(super) fn all_monitored_are_ready(&self) -> bool {
        self.monitored
            .values()
            .all(|monitor| monitor.unready_since.is_none())
    }

    /// Whether an updated slot was not ready at the last look. One that was not looked at yet is not held
    /// against it: it was ready a moment ago.
    pub(super) fn any_monitored_is_unready(&self) -> bool {
        let mut monitored = self.monitored.values();
        monitored.any(|monitor| monitor.unready_since.is_some() && monitor.last_seen.is_some())
    }
}
