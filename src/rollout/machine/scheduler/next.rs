//! Which slot goes next, and how many at once.

use std::time::Duration;

use super::state::{Direction, Phase, Place, Rollout, State};
use crate::rollout::machine::{
    action::Action,
    gate::WatchEnd,
    sequence::{self, Point, Touched},
};

/// What the rollout does next by itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    Start(usize),
    Revert(usize),
    AskPromotion {
        others: bool,
    },
    Promote,
    NoCanaryIsHealthy,
    /// All slots in progress have come to a point where they wait for each other.
    Pass(Point),
    Finish,
}

impl Rollout {
    /// Decides what may begin now. Slots that wait for each other go on when no other joins them.
    pub(super) fn next(&self) -> Option<Next> {
        let next = self.next_of_phase();
        next.or_else(|| self.next_to_pass().map(Next::Pass))
    }

    fn next_of_phase(&self) -> Option<Next> {
        let in_progress = self.in_progress().count();
        let finish = (in_progress == 0 && self.all_monitored_are_ready()).then_some(Next::Finish);
        match self.phase {
            Phase::Waiting { .. } | Phase::Finished => None,
            _ if self.next_to_return().is_some() => self.next_to_return().map(Next::Revert),
            Phase::Reverting { all: true } if !self.updated.is_empty() => {
                let newest = self.updated.last().copied().map(Next::Revert);
                newest.filter(|_| in_progress < self.width())
            }
            Phase::Reverting { .. } => finish,
            _ if self.interrupted && !self.has_only_weights_left() => finish,
            Phase::Promotion => {
                let no_canary_is_left = in_progress == 0 && self.updated.is_empty();
                no_canary_is_left.then_some(Next::NoCanaryIsHealthy)
            }
            // One unhealthy slot is enough to wait, also when the budget allows for it.
            _ if self.waits_for_unhealthy() => None,
            Phase::Canaries => match self.first_pending(self.canaries()) {
                Some(at) => (in_progress < self.width()).then_some(Next::Start(at)),
                None if in_progress > 0 => None,
                None => self.next_after_canaries().or(finish),
            },
            Phase::Rest => match self.first_pending(self.places.len()) {
                Some(at) => (in_progress < self.width()).then_some(Next::Start(at)),
                None => finish,
            },
        }
    }

    /// What follows the canaries, none of which is in progress any more; `None` where nothing does.
    fn next_after_canaries(&self) -> Option<Next> {
        let others = self.first_pending(self.places.len()).is_some();
        let is_healthy = !self.updated.is_empty();
        match (others, is_healthy) {
            (true, false) => Some(Next::NoCanaryIsHealthy),
            (true, true) if self.policy.auto_promote => Some(Next::Promote),
            (true, true) => Some(Next::AskPromotion { others }),
            (false, _) => {
                (is_healthy && self.policy.weighs_canaries).then_some(Next::AskPromotion { others })
            }
        }
    }

    /// Whether all slots are done, and canaries have yet to get their equal share. An interrupt lets that be finished.
    pub(super) fn has_only_weights_left(&self) -> bool {
        let before_the_rest = matches!(self.phase, Phase::Canaries | Phase::Promotion);
        let is_last = self.first_pending(self.places.len()).is_none();
        self.policy.weighs_canaries && before_the_rest && is_last && !self.updated.is_empty()
    }

    pub(super) fn do_next(&mut self, next: Next, now: Duration, actions: &mut Vec<Action>) {
        match next {
            Next::Start(at) => {
                if self.progress_is_due_at().is_none() {
                    self.last_progress = now;
                }
                let stages = sequence::forward(&self.policy, &self.places[at].replacement);
                self.begin_run(
                    at,
                    stages,
                    Touched::default(),
                    Direction::Forward,
                    now,
                    actions,
                );
            }
            Next::Revert(at) => {
                self.updated.retain(|other| *other != at);
                self.end_monitoring(at, WatchEnd::Abandoned, actions);
                let Place {
                    replacement, state, ..
                } = &self.places[at];
                if self.is_lost(at) {
                    self.needs_hand_as_lost(at);
                } else {
                    let stages = match state {
                        State::Unhealthy { .. } => {
                            sequence::turn_back(&self.policy, replacement, Touched::BOTH)
                        }
                        _ => sequence::revert(&self.policy, replacement),
                    };
                    self.begin_run(at, stages, Touched::BOTH, Direction::Back, now, actions);
                }
            }
            Next::AskPromotion { others } => {
                self.phase = Phase::Promotion;
                actions.push(Action::AskPromotion { others });
            }
            Next::Promote => self.phase = Phase::Rest,
            Next::NoCanaryIsHealthy => self.begin_revert("no canary is healthy", now, actions),
            Next::Pass(point) => self.pass(point, now, actions),
            Next::Finish => {
                while let Some((&at, _)) = self.monitored.first_key_value() {
                    self.end_monitoring(at, WatchEnd::Held, actions);
                }
                actions.push(Action::Finish(self.finish()));
                self.phase = Phase::Finished;
            }
        }
    }

    /// The first point at which slots wait, once every slot in progress does.
    fn next_to_pass(&self) -> Option<Point> {
        let points: Option<Vec<_>> = self.in_progress().map(|(run, _)| run.meets_at()).collect();
        points?.into_iter().min()
    }

    pub(super) fn first_pending(&self, until: usize) -> Option<usize> {
        let mut places = self.places.iter().take(until);
        places.position(|place| matches!(place.state, State::Pending))
    }

    pub(super) fn is_first_deploy(&self) -> bool {
        !self
            .places
            .iter()
            .any(|place| place.replacement.has_outgoing())
    }

    /// How many of the first slots are canaries. Where nothing comes, nothing is tried; and what runs already is only
    /// confirmed beside those that are.
    pub(super) fn canaries(&self) -> usize {
        let mut replacements = self.places.iter().map(|place| &place.replacement);
        let comes = replacements.clone().any(|it| it.has_incoming);
        if self.policy.canary == 0 || !comes || self.is_first_deploy() {
            return 0;
        }
        let confirmed = replacements.position(|it| !it.incoming_runs);
        let confirmed = confirmed.unwrap_or(self.places.len());
        confirmed.saturating_add(self.policy.canary)
    }

    /// How many slots may be in progress.
    pub(super) fn width(&self) -> usize {
        let goes_forward = !matches!(self.phase, Phase::Reverting { .. });
        if goes_forward && self.is_first_deploy() {
            usize::MAX
        } else if self.policy.quorum {
            1
        } else {
            self.policy.max_parallel.max(1)
        }
    }

    pub(super) fn waits_for_unhealthy(&self) -> bool {
        let is_unhealthy = |place: &Place| match place.state {
            State::InProgress { .. } => place.failed,
            State::Unhealthy { .. } => true,
            State::Pending | State::Settled(_) => false,
        };
        self.places.iter().any(is_unhealthy) || self.any_monitored_is_unready()
    }
}
