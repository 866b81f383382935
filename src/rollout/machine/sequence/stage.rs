//! What a sequence is made of.

use std::time::Duration;

use crate::rollout::machine::{
    gate::{Gate, Purpose},
    slot::Side,
    step::Step,
};

/// One stage of a replacement. The next begins when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Perform a step.
    Perform(Side, Step),
    /// Watch a gate until it has held.
    Await(Await),
    /// Let time pass.
    Pause(Duration),
    /// Wait until every slot in progress has come as far.
    Meet(Point),
    /// Nothing to do: from here on the incoming container serves, so the slot is healthy.
    Serves,
}

/// Where the slots of a blue-green rollout wait for each other, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// What is to serve is ready.
    Ready,
    /// It was found ready once more, when all were: requests may be switched.
    Confirmed,
    /// Every balancer routes to it.
    Routed,
    /// What served before has no request left.
    Drained,
}

/// A gate to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Await {
    /// Of which container.
    pub side: Side,
    /// Which gate.
    pub gate: Gate,
    /// Why.
    pub purpose: Purpose,
    /// How long it must hold without a break.
    pub hold: Duration,
    /// How long that may take.
    pub limit: Limit,
    /// What happens when it takes longer.
    pub late: OnTimeout,
}

impl Stage {
    /// Waits until a gate holds at one look; the sequence goes on then.
    pub fn wait(side: Side, gate: Gate, limit: Limit, late: OnTimeout) -> Self {
        Self::Await(Await {
            side,
            gate,
            purpose: Purpose::Reach,
            hold: Duration::ZERO,
            limit,
            late,
        })
    }
}

/// How long a gate may take, and counted from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// From the beginning of the sequence's `Start` step.
    FromStart(Duration),
    /// From when the gate is first watched.
    FromHere(Duration),
}

/// What happens when a gate does not hold in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// The slot has failed.
    Fail,
    /// The sequence goes on.
    Continue,
    /// A step makes it so, and the sequence goes on.
    Perform(Step),
}

/// Which of a slot's containers something was performed on. What was not touched need not be put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// The new one was started, or that was tried.
    pub new: bool,
    /// The old one was put into maintenance or stopped, or that was tried.
    pub old: bool,
}

impl Touched {
    /// As after a finished replacement.
    pub const BOTH: Self = Self {
        new: true,
        old: true,
    };

    /// Takes note that a step is performed on the container of one side. A switch is about both.
    pub fn note(&mut self, side: Side, step: Step) {
        if step == Step::Switch {
            *self = Self::BOTH;
        }
        match side {
            Side::New => self.new = true,
            Side::Old => self.old = true,
        }
    }

    /// Whether nothing was performed on either.
    pub fn nothing(self) -> bool {
        self == Self::default()
    }
}
