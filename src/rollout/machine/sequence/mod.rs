//! The ordered stages of one replacement: what DESIGN calls "replacing one container", as a list.
//!
//! Going forward and coming back are the same list with the two containers in each other's place.

use std::time::Duration;

use super::{
    gate::{Gate, Purpose},
    policy::Policy,
    slot::{Replacement, Side},
    step::Step,
};
use crate::model::Order;

/// One stage of a replacement. The next begins when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Perform a step.
    Perform(Side, Step),
    /// Watch a gate until it has held.
    Await(Await),
    /// Let time pass.
    Pause(Duration),
    /// Nothing to do: from here on the incoming container serves, so the slot is healthy.
    Serves,
}

/// A gate to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Await {
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
    pub late: Late,
}

/// How long a gate may take, and counted from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// From the beginning of the sequence's `Start` step.
    FromStart(Duration),
    /// From when the gate is first watched.
    FromHere(Duration),
}

/// What happens when a gate does not hold in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The slot has failed.
    Fail,
    /// The sequence goes on.
    GoOn,
    /// A step makes it so, and the sequence goes on.
    Perform(Step),
}

/// Which of a slot's containers something was performed on. What was not touched need not be put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// The new one was started, or that was tried.
    pub new: bool,
    /// The old one was put into maintenance or stopped, or that was tried.
    pub old: bool,
}

impl Touched {
    /// As after a finished replacement.
    pub(super) const BOTH: Self = Self {
        new: true,
        old: true,
    };

    pub(super) fn note(&mut self, side: Side) {
        match side {
            Side::New => self.new = true,
            Side::Old => self.old = true,
        }
    }

    pub(super) fn nothing(self) -> bool {
        self == Self::default()
    }
}

/// The stages that bring the new container up and take the old one down.
pub(super) fn forward(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    let incoming = replacement.has_incoming.then_some(Side::New);
    let outgoing = replacement.has_outgoing.then_some(Side::Old);
    let gate = outgoing
        .filter(|_| policy.quorum)
        .map(|side| quorum(policy, side));
    gate.into_iter()
        .chain(exchange(policy, incoming, outgoing))
        .collect()
}

/// The stages that return a finished replacement to its old container.
///
/// The quorum gate stands where one server replaces another. Where a server is only taken away again,
/// its missing peer would keep the gate shut for all that follow.
pub(super) fn revert(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    let gate = (policy.quorum && replacement.has_incoming && replacement.has_outgoing)
        .then(|| quorum(policy, Side::New));
    gate.into_iter()
        .chain(turn_back(policy, replacement, Touched::BOTH))
        .collect()
}

/// The stages that return a replacement broken off on its way; none if nothing was performed.
///
/// A container that ran before and was only put in order goes on running where no other serves. No quorum gate: the server that
/// is missing may be this very one. An old container that was not
/// touched is left alone: were it down all along, waiting for it would only hide the real failure.
pub(super) fn turn_back(
    policy: &Policy,
    replacement: &Replacement,
    touched: Touched,
) -> Vec<Stage> {
    let incoming = (replacement.has_outgoing && touched.old).then_some(Side::Old);
    let stops_new =
        replacement.has_incoming && (!replacement.incoming_runs || replacement.has_outgoing);
    let outgoing = (stops_new && touched.new).then_some(Side::New);
    exchange(policy, incoming, outgoing)
}

fn exchange(policy: &Policy, incoming: Option<Side>, outgoing: Option<Side>) -> Vec<Stage> {
    let arrive = incoming.map_or_else(Vec::new, |side| arrive(policy, side));
    let successor = incoming.filter(|_| policy.order == Order::StartFirst);
    let leave = outgoing.map_or_else(Vec::new, |side| leave(policy, side, successor));
    match policy.order {
        Order::StartFirst => [arrive, leave].concat(),
        // The outgoing one is retired before the incoming one starts: both use the same fixed name.
        Order::StopFirst => {
            let between = (policy.quorum && !leave.is_empty() && !arrive.is_empty())
                .then(|| leader(policy, outgoing.unwrap_or(Side::Old)));
            leave.into_iter().chain(between).chain(arrive).collect()
        }
    }
}

fn arrive(policy: &Policy, side: Side) -> Vec<Stage> {
    let limit = Limit::FromStart(policy.healthy_deadline);
    let mut stages = vec![
        Stage::Perform(side, Step::Start),
        Stage::Await(Await {
            side,
            gate: Gate::Ready,
            purpose: Purpose::Reach,
            hold: policy.min_healthy_time,
            limit,
            late: Late::Fail,
        }),
    ];
    if policy.drain.is_some() {
        stages.push(Stage::Await(Await {
            side,
            gate: Gate::Routed,
            purpose: Purpose::Reach,
            hold: Duration::ZERO,
            limit,
            late: Late::Fail,
        }));
    }
    stages.push(Stage::Serves);
    stages
}

/// `successor` is the container that serves already in the place of the one that leaves.
fn leave(policy: &Policy, side: Side, successor: Option<Side>) -> Vec<Stage> {
    let wait = |gate, limit, late| {
        Stage::Await(Await {
            side,
            gate,
            purpose: Purpose::Reach,
            hold: Duration::ZERO,
            limit: Limit::FromHere(limit),
            late,
        })
    };
    let mut stages = Vec::new();
    if policy.drain.is_some() || policy.registered {
        stages.push(Stage::Perform(side, Step::EnterMaintenance));
    }
    if let Some(drain) = &policy.drain {
        // A balancer that still routes to it would lose the requests once it is stopped, so this gate
        // cannot be given up; connections that never end can.
        stages.push(wait(Gate::Unrouted, policy.leave_deadline, Late::Fail));
        stages.push(Stage::Pause(drain.wait));
        stages.push(wait(Gate::Idle, drain.timeout, Late::GoOn));
    }
    // The point of no return. A drain can take minutes, and nobody has looked at the successor meanwhile;
    // where nothing lies between, it was found ready just now.
    stages.extend(successor.filter(|_| !stages.is_empty()).map(|side| {
        Stage::Await(Await {
            side,
            gate: Gate::Ready,
            purpose: Purpose::Confirm,
            hold: Duration::ZERO,
            limit: Limit::FromHere(policy.leave_deadline),
            late: Late::Fail,
        })
    }));
    stages.push(Stage::Perform(side, Step::Stop));
    if policy.registered {
        let deregister = Late::Perform(Step::Deregister);
        stages.push(wait(Gate::Gone, policy.leave_deadline, deregister));
    }
    stages.push(Stage::Perform(side, Step::Retire));
    stages
}

/// A leader that is stopped and comes back before the others have a new one can be elected again at once,
/// before it has read its own log. For a moment it then answers with services of long ago, and balancers
/// follow it. So it comes back to a cluster that has a leader. Without one in time, its vote is what is
/// missing.
fn leader(policy: &Policy, side: Side) -> Stage {
    Stage::Await(Await {
        side,
        gate: Gate::Leader,
        purpose: Purpose::Reach,
        hold: Duration::ZERO,
        limit: Limit::FromHere(policy.leave_deadline),
        late: Late::GoOn,
    })
}

fn quorum(policy: &Policy, side: Side) -> Stage {
    Stage::Await(Await {
        side,
        gate: Gate::Quorum,
        purpose: Purpose::Reach,
        hold: Duration::ZERO,
        limit: Limit::FromHere(policy.leave_deadline),
        late: Late::Fail,
    })
}

impl Policy {
    /// How many steps and gates one slot's replacement has, for a bar's n of m.
    pub fn steps(&self, has_incoming: bool, has_outgoing: bool) -> usize {
        let replacement = Replacement {
            host: "".into(),
            has_incoming,
            incoming_runs: false,
            has_outgoing,
        };
        let stages = forward(self, &replacement);
        stages
            .iter()
            .filter(|stage| matches!(stage, Stage::Perform(..) | Stage::Await(_)))
            .count()
    }
}
