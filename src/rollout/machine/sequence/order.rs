//! Which stages a replacement has: forward, reverted, or turned back on its way.

use std::time::Duration;

use super::{
    arrive::{arrive, resume},
    blue_green,
    consul_servers::{leader, quorum},
    leave::leave,
    stage::{Stage, Touched},
};
use crate::{
    model::Order,
    rollout::machine::{
        policy::Policy,
        slot::{Outgoing, Replacement, Side},
        step::Step,
    },
};

/// The stages that bring the new container up and take the old one down.
pub fn forward(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    if policy.order == Order::BlueGreen {
        return blue_green::forward(policy, replacement);
    }
    let incoming = replacement.has_incoming.then_some(Side::New);
    let goes = matches!(
        replacement.outgoing,
        Some(Outgoing::Serves | Outgoing::Unwell)
    );
    let outgoing = goes.then_some(Side::Old);
    let mut arrives = incoming.map_or_else(Vec::new, |side| arrive(policy, side));
    if replacement.incoming_runs {
        arrives.insert(0, Stage::Perform(Side::New, Step::OutlastStop));
    }
    let gate = outgoing
        .filter(|_| policy.quorum)
        .map(|side| quorum(policy, side));
    gate.into_iter()
        .chain(exchange(
            policy,
            (incoming, arrives),
            outgoing,
            replacement.is_last,
        ))
        .collect()
}

/// The stages that return a finished replacement to its old container.
///
/// The quorum gate stands where one server replaces another. Where a server is only taken away again,
/// its missing peer would keep the gate shut for all that follow.
pub fn revert(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    let gate = (policy.quorum && replacement.has_incoming && replacement.has_outgoing())
        .then(|| quorum(policy, Side::New));
    gate.into_iter()
        .chain(turn_back(policy, replacement, Touched::BOTH))
        .collect()
}

/// The stages that return a replacement broken off on its way; none if nothing was performed.
///
/// A container that ran before and was only put in order goes on running where no other serves. There is no
/// quorum gate: the server that is missing may be this very one. An old container that was not touched may
/// have died meanwhile, so it is looked at too; but not one that was unwell all along, as waiting for it would
/// only hide the real failure.
pub fn turn_back(policy: &Policy, replacement: &Replacement, touched: Touched) -> Vec<Stage> {
    // Before the switch nothing was taken from the old ones, and no slot need wait for another.
    if policy.order == Order::BlueGreen && touched.old {
        return blue_green::back(policy, replacement);
    }
    let stays = if replacement.has_outgoing() {
        Side::Old
    } else {
        Side::New
    };
    let back = match replacement.outgoing {
        None if replacement.incoming_runs && touched.new => resume(policy, Side::New),
        None => Vec::new(),
        Some(Outgoing::Serves) if !touched.old => resume(policy, Side::Old),
        Some(Outgoing::Unwell) if !touched.old => Vec::new(),
        Some(_) => arrive(policy, Side::Old),
    };
    let stops_new =
        replacement.has_incoming && (!replacement.incoming_runs || replacement.has_outgoing());
    let outgoing = (stops_new && touched.new).then_some(Side::New);
    let incoming = (!back.is_empty()).then_some(stays);
    exchange(policy, (incoming, back), outgoing, false)
}

fn exchange(
    policy: &Policy,
    (incoming, arrive): (Option<Side>, Vec<Stage>),
    outgoing: Option<Side>,
    is_last: bool,
) -> Vec<Stage> {
    let successor = incoming.filter(|_| policy.order != Order::StopFirst);
    let leave = outgoing.map_or_else(Vec::new, |side| leave(policy, side, successor, is_last));
    match policy.order {
        Order::StartFirst | Order::BlueGreen => [arrive, leave].concat(),
        // The outgoing one is retired before the incoming one starts: both use the same fixed name.
        Order::StopFirst => {
            let between = (policy.quorum && !leave.is_empty() && !arrive.is_empty())
                .then(|| leader(policy, outgoing.unwrap_or(Side::Old)));
            leave.into_iter().chain(between).chain(arrive).collect()
        }
    }
}

impl Policy {
    /// How many steps and gates one slot's replacement has, for a bar's n of m. `incoming_runs` says whether the
    /// container that runs there afterwards runs already; `None` where none does.
    pub fn steps(&self, incoming_runs: Option<bool>, has_outgoing: bool) -> usize {
        let stages = self.stages(incoming_runs, has_outgoing);
        let is_shown = |stage: &&Stage| matches!(stage, Stage::Perform(..) | Stage::Await(_));
        stages.iter().filter(is_shown).count()
    }

    /// How much time one slot's replacement lets pass when all goes well.
    pub fn waiting(&self, incoming_runs: Option<bool>, has_outgoing: bool) -> Duration {
        let stages = self.stages(incoming_runs, has_outgoing);
        let time = |stage: &Stage| match stage {
            Stage::Await(gate) => gate.hold,
            Stage::Pause(time) => *time,
            Stage::Perform(..) | Stage::Meet(_) | Stage::Serves => Duration::ZERO,
        };
        stages.iter().map(time).sum()
    }

    fn stages(&self, incoming_runs: Option<bool>, has_outgoing: bool) -> Vec<Stage> {
        let replacement = Replacement {
            host: "".into(),
            has_incoming: incoming_runs.is_some(),
            incoming_runs: incoming_runs == Some(true),
            outgoing: has_outgoing.then_some(Outgoing::Serves),
            is_last: false,
        };
        forward(self, &replacement)
    }
}
