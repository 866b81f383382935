//! The stages of a blue-green replacement. The slots wait for each other, so that no request goes to a new container
//! before all are ready, and no old one stops before all requests have left it.

use std::time::Duration;

use super::{
    arrive::until_it_is_ready,
    leave::{leave_traffic, still_ready, stop},
    stage::{Limit, OnTimeout, Point, Stage},
};
use crate::rollout::machine::{
    gate::Gate,
    policy::Policy,
    slot::{Outgoing, Replacement, Side},
    step::Step,
};

/// The stages that bring the new container up, switch to it and take the old one down.
pub(super) fn forward(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    let mut arrives = Vec::new();
    if replacement.incoming_runs {
        arrives.push(Stage::Perform(Side::New, Step::OutlastStop));
    }
    if replacement.has_incoming {
        arrives.extend(until_it_is_ready(
            policy,
            Side::New,
            Step::StartHeld,
            policy.min_healthy_time,
        ));
    }
    let goes = matches!(
        replacement.outgoing,
        Some(Outgoing::Serves | Outgoing::Unwell)
    );
    let incoming = replacement.has_incoming.then_some(Side::New);
    let outgoing = goes.then_some(Side::Old);
    switch(
        policy,
        Side::New,
        (incoming, arrives),
        outgoing,
        replacement.is_last,
    )
}

/// The stages that switch back to the old container. One that only ever ran here goes on.
pub(super) fn back(policy: &Policy, replacement: &Replacement) -> Vec<Stage> {
    let (incoming, arrives) = if replacement.has_outgoing() {
        let hold = policy.min_healthy_time;
        let arrives = until_it_is_ready(policy, Side::Old, Step::StartHeld, hold);
        (Some(Side::Old), arrives.to_vec())
    } else if replacement.incoming_runs {
        let arrives = until_it_is_ready(policy, Side::New, Step::Resume, Duration::ZERO);
        (Some(Side::New), arrives.to_vec())
    } else {
        (None, Vec::new())
    };
    let goes = replacement.has_incoming && incoming != Some(Side::New);
    let outgoing = goes.then_some(Side::New);
    switch(policy, Side::Old, (incoming, arrives), outgoing, false)
}

/// Every slot has every point, also one where nothing comes or nothing goes.
fn switch(
    policy: &Policy,
    to: Side,
    (incoming, arrives): (Option<Side>, Vec<Stage>),
    outgoing: Option<Side>,
    is_last: bool,
) -> Vec<Stage> {
    let is_still_ready = || incoming.map(|side| still_ready(policy, side));
    let mut stages = arrives;
    stages.push(Stage::Meet(Point::Ready));
    // It may have waited for the others for long.
    stages.extend(is_still_ready());
    stages.push(Stage::Meet(Point::Confirmed));
    stages.push(Stage::Perform(to, Step::Switch));
    if policy.drain.is_some() {
        // Counted from here, as the time before was that of the slowest slot.
        let limit = Limit::FromHere(policy.healthy_deadline);
        stages.extend(incoming.map(|side| {
            let late = OnTimeout::Fail;
            Stage::wait(side, Gate::Routed, limit, late)
        }));
    }
    stages.push(Stage::Serves);
    stages.push(Stage::Meet(Point::Routed));
    if let Some(side) = outgoing {
        stages.extend(leave_traffic(policy, side, is_last));
    }
    stages.push(Stage::Meet(Point::Drained));
    if let Some(side) = outgoing {
        stages.extend(is_still_ready());
        stages.extend(stop(policy, side));
    }
    stages
}
