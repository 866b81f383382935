//! One slot on its way through the stages of a sequence.

use std::time::Duration;

use super::{
    action::Action,
    failure,
    gate::{Gate, Observation, Verdict, WatchEnd},
    outcome::Failure,
    sequence::{Await, Limit, OnTimeout, Point, Stage, Touched},
    slot::{Side, Slot},
    step::Step,
};
use crate::model::HostName;

/// A sequence in progress.
#[derive(Debug, Clone)]
pub(super) struct Run {
    slot: Slot,
    host: HostName,
    stages: Vec<Stage>,
    /// The stage that runs, or comes next when nothing is waited for.
    at: usize,
    wait: Wait,
    /// When the sequence's `Start` was asked for.
    started: Option<Duration>,
    touched: Touched,
    serves: bool,
}

#[derive(Debug, Clone)]
enum Wait {
    Nothing,
    Step(Side, Step),
    Gate(Watch),
    Pause { until: Duration },
    Meet(Point),
}

#[derive(Debug, Clone)]
struct Watch {
    awaited: Await,
    deadline: Duration,
    limit: Duration,
    holds_since: Option<Duration>,
    last_seen: Option<Observation>,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(super) enum Progress {
    /// It waits for a step, a gate or the end of a pause.
    Waits,
    /// Every stage is over.
    Done,
    /// It cannot go on.
    Failed(Failure),
}

impl Run {
    /// A run before its first stage. `touched` is what was performed here before it.
    pub(super) fn new(slot: Slot, host: HostName, stages: Vec<Stage>, touched: Touched) -> Self {
        Self {
            slot,
            host,
            stages,
            at: 0,
            wait: Wait::Nothing,
            started: None,
            touched,
            serves: false,
        }
    }

    /// What was performed here so far.
    pub(super) fn touched(&self) -> Touched {
        self.touched
    }

    /// Whether the incoming container has come to serve.
    pub(super) fn serves(&self) -> bool {
        self.serves
    }

    /// Whether a step runs: nothing may be asked of this slot until it ends.
    pub(super) fn is_performing(&self) -> bool {
        matches!(self.wait, Wait::Step(..))
    }

    /// Whether no stage is left.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.stages.len()
    }

    /// What the watched gate was last seen as.
    pub(super) fn last_seen(&self) -> Option<&Observation> {
        match &self.wait {
            Wait::Gate(watch) => watch.last_seen.as_ref(),
            Wait::Nothing | Wait::Step(..) | Wait::Pause { .. } | Wait::Meet(_) => None,
        }
    }

    /// Where it waits for the other slots, if it does.
    pub(super) fn meets_at(&self) -> Option<Point> {
        match self.wait {
            Wait::Meet(point) => Some(point),
            Wait::Nothing | Wait::Step(..) | Wait::Gate(_) | Wait::Pause { .. } => None,
        }
    }

    /// Goes on from where it waited for the others.
    pub(super) fn pass(&mut self, now: Duration, actions: &mut Vec<Action>) -> Progress {
        self.at += 1;
        self.go_on(now, actions)
    }

    /// When time alone takes it on.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        match &self.wait {
            Wait::Gate(watch) => Some(watch.deadline),
            Wait::Pause { until } => Some(*until),
            Wait::Nothing | Wait::Step(..) | Wait::Meet(_) => None,
        }
    }

    /// Goes from stage to stage until there is something to wait for.
    pub(super) fn go_on(&mut self, now: Duration, actions: &mut Vec<Action>) -> Progress {
        self.wait = Wait::Nothing;
        while let Some(stage) = self.stages.get(self.at) {
            match *stage {
                Stage::Serves => self.serves = true,
                Stage::Pause(length) if length.is_zero() => {}
                Stage::Pause(length) => {
                    let until = now.saturating_add(length);
                    self.wait = Wait::Pause { until };
                    return Progress::Waits;
                }
                Stage::Meet(point) => {
                    self.wait = Wait::Meet(point);
                    return Progress::Waits;
                }
                Stage::Perform(side, step) => {
                    self.perform(side, step, now, actions);
                    return Progress::Waits;
                }
                Stage::Await(awaited) => return self.watch(awaited, now, actions),
            }
            self.at += 1;
        }
        Progress::Done
    }

    /// Takes note that a step has ended, and says whether it was the one that runs. Does not go on.
    pub(super) fn step_ended(&mut self, side: Side, step: Step) -> bool {
        let is_it = matches!(self.wait, Wait::Step(s, t) if (s, t) == (side, step));
        if is_it {
            self.wait = Wait::Nothing;
            self.at += 1;
        }
        is_it
    }

    /// Takes in one look at a gate; ignored unless that gate is being watched.
    pub(super) fn observed(
        &mut self,
        (side, gate): (Side, Gate),
        observation: Observation,
        now: Duration,
        actions: &mut Vec<Action>,
    ) -> Progress {
        let Wait::Gate(watch) = &mut self.wait else {
            return Progress::Waits;
        };
        if (watch.awaited.side, watch.awaited.gate) != (side, gate) {
            return Progress::Waits;
        }
        match observation.verdict {
            Verdict::Holds => {
                // Only a look can end the wait, never the clock: that it held at both ends and at every
                // look between them is what "without a break" can mean.
                let since = *watch.holds_since.get_or_insert(now);
                if now.saturating_sub(since) >= watch.awaited.hold {
                    self.unwatch(WatchEnd::Held, actions);
                    self.at += 1;
                    return self.go_on(now, actions);
                }
            }
            Verdict::NotYet => watch.holds_since = None,
            Verdict::Never => {
                let failure = failure::never(&self.host, &watch.awaited, &observation.detail);
                self.unwatch(WatchEnd::Failed, actions);
                return Progress::Failed(failure);
            }
        }
        watch.last_seen = Some(observation);
        Progress::Waits
    }

    /// Ends what time ends.
    pub(super) fn time_passed(&mut self, now: Duration, actions: &mut Vec<Action>) -> Progress {
        match &self.wait {
            Wait::Pause { until } if *until <= now => {
                self.at += 1;
                self.go_on(now, actions)
            }
            Wait::Gate(watch) if watch.deadline <= now => match watch.awaited.late {
                OnTimeout::Fail => {
                    let seen = watch.last_seen.as_ref();
                    let failure = failure::late(&self.host, &watch.awaited, watch.limit, seen);
                    self.unwatch(WatchEnd::Failed, actions);
                    Progress::Failed(failure)
                }
                OnTimeout::Continue => {
                    self.unwatch(WatchEnd::GaveUp, actions);
                    self.at += 1;
                    self.go_on(now, actions)
                }
                OnTimeout::Perform(step) => {
                    let side = watch.awaited.side;
                    self.unwatch(WatchEnd::GaveUp, actions);
                    self.perform(side, step, now, actions);
                    Progress::Waits
                }
            },
            Wait::Nothing | Wait::Step(..) | Wait::Gate(_) | Wait::Pause { .. } | Wait::Meet(_) => {
                Progress::Waits
            }
        }
    }

    /// Lets go of a gate that no longer matters. A step cannot be let go of.
    pub(super) fn abandon(&mut self, actions: &mut Vec<Action>) {
        if !self.is_performing() {
            self.unwatch(WatchEnd::Abandoned, actions);
        }
    }

    fn perform(&mut self, side: Side, step: Step, now: Duration, actions: &mut Vec<Action>) {
        if matches!(step, Step::Start | Step::StartHeld | Step::Resume) {
            self.started = Some(now);
        }
        self.touched.note(side, step);
        self.wait = Wait::Step(side, step);
        actions.push(Action::Perform {
            slot: self.slot,
            side,
            step,
        });
    }

    fn watch(&mut self, awaited: Await, now: Duration, actions: &mut Vec<Action>) -> Progress {
        let (from, limit) = match awaited.limit {
            Limit::FromStart(limit) => (self.started.unwrap_or(now), limit),
            Limit::FromHere(limit) => (now, limit),
        };
        let deadline = from.saturating_add(limit);
        if deadline < now {
            let took = now.saturating_sub(from);
            return Progress::Failed(failure::late_before(&self.host, &awaited, limit, took));
        }
        actions.push(Action::Watch {
            slot: self.slot,
            side: awaited.side,
            gate: awaited.gate,
            purpose: awaited.purpose,
        });
        self.wait = Wait::Gate(Watch {
            awaited,
            deadline,
            limit,
            holds_since: None,
            last_seen: None,
        });
        Progress::Waits
    }

    fn unwatch(&mut self, end: WatchEnd, actions: &mut Vec<Action>) {
        if let Wait::Gate(watch) = &self.wait {
            actions.push(Action::Unwatch {
                slot: self.slot,
                side: watch.awaited.side,
                gate: watch.awaited.gate,
                end,
            });
        }
        self.wait = Wait::Nothing;
    }
}
