//! The rollout: which slot may go when, and what a failure means for the others.

mod failures;
mod monitoring;
mod next;

use std::{collections::BTreeMap, time::Duration};

use self::monitoring::Keep;
use super::{
    action::Action,
    failure,
    gate::{Gate, Observation},
    input::Input,
    outcome::{Failure, SlotState},
    policy::Policy,
    run::{Progress, Run},
    sequence::{self, Touched},
    slot::{Replacement, Side, Slot},
    step::Step,
};
use crate::model::HostName;

/// The rollout of one recipe.
///
/// Order: the canaries, a promotion, then the rest, never more than `max_parallel` in hand. A first deploy
/// (no slot has an outgoing container) has nothing to protect, so all its slots go at once; Consul's
/// bootstrap needs that.
///
/// Failure: a slot that fails is returned to its old container at once, and no slot starts meanwhile. More
/// of them than `max_failures`, a passed `progress_deadline`, an exceeded budget, a refused promotion or
/// canaries that all failed end the rollout: slots in hand are returned and, with `auto_revert`, the
/// finished ones too, newest first. A host that cannot be reached fails with all its slots, and nothing
/// more is done there.
///
/// A finished slot stays watched until the rollout ends. If its container dies, or is not ready for
/// `healthy_deadline`, the slot has failed after all. Until then no slot starts and the rollout does not
/// end.
#[derive(Debug, Clone)]
pub struct Rollout {
    policy: Policy,
    places: Vec<Place>,
    phase: Phase,
    /// The finished slots in the order in which they were; a revert takes them from the end.
    updated: Vec<usize>,
    /// The watches of the finished slots.
    kept: BTreeMap<usize, Keep>,
    /// Since when nothing is in hand, and all that the rollout waits for is that finished slots are ready.
    stalled_since: Option<Duration>,
    /// The hosts that could not be reached, with the failure that told so.
    lost: BTreeMap<HostName, Failure>,
    interrupted: bool,
    /// When a slot last became healthy, or one was started while no other was waited for.
    last_progress: Duration,
    failure: Option<(Option<Slot>, Failure)>,
}

#[derive(Debug, Clone)]
struct Place {
    replacement: Replacement,
    state: State,
    /// Whether it counts against `max_failures`.
    failed: bool,
}

#[derive(Debug, Clone)]
enum State {
    Pending,
    InHand {
        run: Run,
        way: Way,
    },
    /// It was updated, and its new container has failed since: it is to be returned.
    Fallen {
        is_dead: bool,
    },
    Settled(SlotState),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the new container.
    Forward,
    /// Still in a step towards the new container; it turns back when that ends.
    Recalled,
    /// To the old container.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before [`Input::Begin`].
    Waiting {
        /// Whether the slots are updated already and are to be taken back.
        revert: bool,
    },
    Canaries,
    /// The question is asked.
    Promotion,
    Rest,
    /// It has failed.
    TakingBack {
        /// Whether finished slots are taken back, or only those in hand.
        all: bool,
    },
    Finished,
}

impl Phase {
    fn goes_forward(self) -> bool {
        matches!(self, Self::Canaries | Self::Promotion | Self::Rest)
    }
}

impl Rollout {
    /// A rollout that brings every slot to its new container.
    pub fn new(policy: Policy, replacements: Vec<Replacement>) -> Self {
        Self::with(policy, replacements, false)
    }

    /// A rollout whose slots are all updated already and are to be taken back, the last first: for when a
    /// later recipe of the same deploy has failed. It ends [`RolloutEnd::Reverted`](super::RolloutEnd::Reverted) or
    /// [`RolloutEnd::RevertFailed`](super::RolloutEnd::RevertFailed), and an interrupt does not stop it.
    pub fn revert(policy: Policy, replacements: Vec<Replacement>) -> Self {
        Self::with(policy, replacements, true)
    }

    fn with(policy: Policy, replacements: Vec<Replacement>, revert: bool) -> Self {
        let state = if revert {
            State::Settled(SlotState::Updated)
        } else {
            State::Pending
        };
        let updated = if revert {
            (0..replacements.len()).collect()
        } else {
            Vec::new()
        };
        let place = |replacement| Place {
            replacement,
            state: state.clone(),
            failed: false,
        };
        Self {
            policy,
            places: replacements.into_iter().map(place).collect(),
            phase: Phase::Waiting { revert },
            updated,
            kept: BTreeMap::new(),
            stalled_since: None,
            lost: BTreeMap::new(),
            interrupted: false,
            last_progress: Duration::ZERO,
            failure: None,
        }
    }

    /// Takes one input, at `now` since the rollout began (it never goes back), and says what to do.
    ///
    /// An input that comes too late or makes no sense is ignored.
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase != Phase::Finished {
            self.excuse_the_kept(now);
            self.take_in(input, now, &mut actions);
            self.let_time_pass(now, &mut actions);
            while let Some(next) = self.next() {
                self.do_next(next, now, &mut actions);
            }
            self.note_stall(now);
        }
        actions
    }

    /// When an [`Input::Tick`] is due, unless another input comes first.
    pub fn wakes_at(&self) -> Option<Duration> {
        let runs = self.in_hand().filter_map(|(run, _)| run.wakes_at());
        let kept = self.kept.values().filter_map(|keep| self.is_due_at(keep));
        runs.chain(kept).chain(self.progress_is_due_at()).min()
    }

    fn take_in(&mut self, input: Input, now: Duration, actions: &mut Vec<Action>) {
        match input {
            Input::Begin => self.begin(),
            Input::StepEnded {
                slot: Slot(at),
                side,
                step,
                result,
            } => self.step_ended(at, (side, step), result, now, actions),
            Input::Observed {
                slot: Slot(at),
                side,
                gate,
                observation,
            } => self.observed(at, (side, gate), observation, now, actions),
            Input::Tick => {}
            Input::OverBudget { reason } => {
                self.fail_as_a_whole(failure::of_the_rollout(reason), now, actions);
            }
            Input::Promotion { granted } => {
                if self.phase == Phase::Promotion && !self.interrupted {
                    if granted {
                        // Where the canaries have fallen meanwhile there is nothing to follow.
                        if !self.updated.is_empty() {
                            self.phase = Phase::Rest;
                        }
                    } else {
                        let fact = "promotion was refused".to_owned();
                        self.fail_as_a_whole(failure::of_the_rollout(fact), now, actions);
                    }
                }
            }
            Input::Interrupt => {
                let reverts = matches!(
                    self.phase,
                    Phase::TakingBack { .. } | Phase::Waiting { revert: true }
                );
                self.interrupted |= !reverts;
            }
        }
    }

    fn begin(&mut self) {
        if let Phase::Waiting { revert } = self.phase {
            self.phase = match revert {
                true => Phase::TakingBack { all: true },
                false if self.canaries() > 0 => Phase::Canaries,
                false => Phase::Rest,
            };
        }
    }

    fn step_ended(
        &mut self,
        at: usize,
        (side, step): (Side, Step),
        result: Result<(), Failure>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some((run, way)) = self.run_at(at) else {
            return;
        };
        if !run.step_ended(side, step) {
            return;
        }
        let is_done = run.is_done();
        match result {
            Err(failure) => self.run_failed(at, failure, now, actions),
            // A recalled slot whose last step ended well has arrived: a whole revert finds it among the
            // finished ones.
            Ok(()) if is_done => self.run_arrived(at, now, actions),
            Ok(()) if self.is_lost(at) => self.settle_as_lost(at),
            Ok(()) if way == Way::Recalled => self.turn_back(at, now, actions),
            Ok(()) => self.drive(at, now, actions, |run, actions| run.go_on(now, actions)),
        }
    }

    fn observed(
        &mut self,
        at: usize,
        what: (Side, Gate),
        observation: Observation,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        if self.kept.contains_key(&at) {
            if what == (Side::New, Gate::Ready) {
                self.kept_observed(at, observation, now, actions);
            }
            return;
        }
        self.drive(at, now, actions, |run, actions| {
            run.observed(what, observation, now, actions)
        });
    }

    fn let_time_pass(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for at in 0..self.places.len() {
            self.drive(at, now, actions, |run, actions| {
                run.time_passed(now, actions)
            });
        }
        self.let_kept_fall(now, actions);
        if self.progress_is_due_at().is_some_and(|due| due <= now) {
            let waiting = self.places.iter().filter_map(|place| match &place.state {
                State::InHand { run, way } if *way == Way::Forward && !run.serves() => {
                    Some((&*place.replacement.host, run.last_seen()))
                }
                _ => None,
            });
            let failure = failure::no_progress(self.policy.progress_deadline, waiting);
            self.fail_as_a_whole(failure, now, actions);
        }
    }

    /// The progress deadline runs while a slot in hand is still to become healthy: not during a question
    /// to the user, and not while healthy slots drain their old containers or failed ones are returned,
    /// which has its own deadlines.
    fn progress_is_due_at(&self) -> Option<Duration> {
        let runs = matches!(self.phase, Phase::Canaries | Phase::Rest)
            && self
                .in_hand()
                .any(|(run, way)| way == Way::Forward && !run.serves());
        runs.then(|| {
            self.last_progress
                .saturating_add(self.policy.progress_deadline)
        })
    }

    fn set_out(
        &mut self,
        at: usize,
        stages: Vec<sequence::Stage>,
        touched: Touched,
        way: Way,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let place = &mut self.places[at];
        let run = Run::new(Slot(at), place.replacement.host.clone(), stages, touched);
        place.state = State::InHand { run, way };
        self.drive(at, now, actions, |run, actions| run.go_on(now, actions));
    }

    /// Lets one run go its way and draws the conclusions.
    fn drive(
        &mut self,
        at: usize,
        now: Duration,
        actions: &mut Vec<Action>,
        go: impl FnOnce(&mut Run, &mut Vec<Action>) -> Progress,
    ) {
        let Some((run, way)) = self.run_at(at) else {
            return;
        };
        let served = run.serves();
        let progress = go(run, actions);
        if way == Way::Forward && run.serves() && !served {
            self.last_progress = now;
        }
        match progress {
            Progress::Waits => {}
            Progress::Done => self.run_arrived(at, now, actions),
            Progress::Failed(failure) => self.run_failed(at, failure, now, actions),
        }
    }

    fn run_arrived(&mut self, at: usize, now: Duration, actions: &mut Vec<Action>) {
        let back = matches!(&self.places[at].state, State::InHand { way, .. } if *way == Way::Back);
        if back {
            self.settle(at, SlotState::Reverted);
        } else {
            self.last_progress = now;
            self.settle(at, SlotState::Updated);
            self.updated.push(at);
            self.keep(at, now, actions);
        }
    }

    fn settle(&mut self, at: usize, state: SlotState) {
        self.places[at].state = State::Settled(state);
    }

    fn in_hand(&self) -> impl Iterator<Item = (&Run, Way)> {
        self.places.iter().filter_map(|place| match &place.state {
            State::InHand { run, way } => Some((run, *way)),
            State::Pending | State::Fallen { .. } | State::Settled(_) => None,
        })
    }

    fn run_at(&mut self, at: usize) -> Option<(&mut Run, Way)> {
        match &mut self.places.get_mut(at)?.state {
            State::InHand { run, way } => Some((run, *way)),
            State::Pending | State::Fallen { .. } | State::Settled(_) => None,
        }
    }
}
