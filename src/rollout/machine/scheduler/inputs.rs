//! One step of the machine: what an input means, and what time alone brings.

use std::time::Duration;

use super::state::{Direction, Phase, Rollout, State};
use crate::rollout::machine::{
    action::Action,
    failure,
    gate::{Gate, Observation},
    input::Input,
    outcome::{Failure, SlotState},
    run::{Progress, Run},
    sequence::{self, Point, Touched},
    slot::{Side, Slot},
    step::Step,
};

impl Rollout {
    /// Takes one input, at `now` since the rollout began (it never goes back), and says what to do.
    ///
    /// An input that comes too late or makes no sense is ignored.
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase != Phase::Finished {
            self.excuse_monitored(now);
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
        let runs = self.in_progress().filter_map(|(run, _)| run.wakes_at());
        let monitored = self.monitored.values();
        let monitored = monitored.filter_map(|monitor| self.is_due_at(monitor));
        runs.chain(monitored).chain(self.progress_is_due_at()).min()
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
                let is_awaited = !self.interrupted || self.has_only_weights_left();
                if self.phase == Phase::Promotion && is_awaited {
                    if granted {
                        // Where the canaries have failed meanwhile there is nothing to follow.
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
                    Phase::Reverting { .. } | Phase::Waiting { revert: true }
                );
                self.interrupted |= !reverts;
            }
        }
    }

    fn begin(&mut self) {
        if let Phase::Waiting { revert } = self.phase {
            self.phase = match revert {
                true => Phase::Reverting { all: true },
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
        let Some((run, direction)) = self.run_at(at) else {
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
            Ok(()) if self.is_lost(at) => self.needs_hand_as_lost(at),
            Ok(()) if direction == Direction::Recalled => self.turn_back(at, now, actions),
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
        if self.monitored.contains_key(&at) {
            if what == (Side::New, Gate::Ready) {
                self.observed_after_update(at, observation, now, actions);
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
        self.fail_unready_after_update(now, actions);
        if self.progress_is_due_at().is_some_and(|due| due <= now) {
            let waiting = self.places.iter().filter_map(|place| match &place.state {
                State::InProgress { run, direction }
                    if *direction == Direction::Forward && !run.serves() =>
                {
                    Some((&*place.replacement.host, run.last_seen()))
                }
                _ => None,
            });
            let failure = failure::no_progress(self.policy.progress_deadline, waiting);
            self.fail_as_a_whole(failure, now, actions);
        }
    }

    /// The progress deadline runs while a slot in progress is still to become healthy: not during a question
    /// to the user, and not while healthy slots drain their old containers or failed ones are returned,
    /// which has its own deadlines.
    pub(super) fn progress_is_due_at(&self) -> Option<Duration> {
        let runs = matches!(self.phase, Phase::Canaries | Phase::Rest)
            && self
                .in_progress()
                .any(|(run, direction)| direction == Direction::Forward && !run.serves());
        runs.then(|| {
            self.last_progress
                .saturating_add(self.policy.progress_deadline)
        })
    }

    pub(super) fn begin_run(
        &mut self,
        at: usize,
        stages: Vec<sequence::Stage>,
        touched: Touched,
        direction: Direction,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let place = &mut self.places[at];
        let run = Run::new(Slot(at), place.replacement.host.clone(), stages, touched);
        place.state = State::InProgress { run, direction };
        self.drive(at, now, actions, |run, actions| run.go_on(now, actions));
    }

    /// Lets one run go on and draws the conclusions.
    fn drive(
        &mut self,
        at: usize,
        now: Duration,
        actions: &mut Vec<Action>,
        go: impl FnOnce(&mut Run, &mut Vec<Action>) -> Progress,
    ) {
        let Some((run, direction)) = self.run_at(at) else {
            return;
        };
        let served = run.serves();
        let progress = go(run, actions);
        if direction == Direction::Forward && run.serves() && !served {
            self.last_progress = now;
        }
        match progress {
            Progress::Waits => {}
            Progress::Done => self.run_arrived(at, now, actions),
            Progress::Failed(failure) => self.run_failed(at, failure, now, actions),
        }
    }

    /// Lets every slot go on that waits at a point.
    pub(super) fn pass(&mut self, point: Point, now: Duration, actions: &mut Vec<Action>) {
        for at in 0..self.places.len() {
            let waits = |(run, _): (&mut Run, _)| run.meets_at() == Some(point);
            if self.run_at(at).is_some_and(waits) {
                self.drive(at, now, actions, |run, actions| run.pass(now, actions));
            }
        }
    }

    fn run_arrived(&mut self, at: usize, now: Duration, actions: &mut Vec<Action>) {
        let was_returned = matches!(
            &self.places[at].state,
            State::InProgress { direction, .. } if *direction == Direction::Back
        );
        if was_returned {
            self.settle(at, SlotState::Reverted);
        } else {
            self.last_progress = now;
            self.settle(at, SlotState::Updated);
            self.updated.push(at);
            self.monitor(at, now, actions);
        }
    }

    pub(super) fn settle(&mut self, at: usize, state: SlotState) {
        self.places[at].state = State::Settled(state);
    }

    pub(super) fn in_progress(&self) -> impl Iterator<Item = (&Run, Direction)> {
        self.places.iter().filter_map(|place| match &place.state {
            State::InProgress { run, direction } => Some((run, *direction)),
            State::Pending | State::Unhealthy { .. } | State::Settled(_) => None,
        })
    }

    pub(super) fn run_at(&mut self, at: usize) -> Option<(&mut Run, Direction)> {
        match &mut self.places.get_mut(at)?.state {
            State::InProgress { run, direction } => Some((run, *direction)),
            State::Pending | State::Unhealthy { .. } | State::Settled(_) => None,
        }
    }
}
