//! Which file performs which step.

use super::{
    outlast::outlast_a_stop,
    retire::retire,
    start::{resume, start_new, start_old},
    stop::stop,
    traffic::{deregister, take_out},
};
use crate::{
    hosts::HostError,
    rollout::{
        machine::{Side, Step},
        slot::Placement,
    },
};

/// Performs one step on the containers of one side of a slot.
pub async fn perform(placement: &Placement, side: Side, step: Step) -> Result<(), HostError> {
    match (step, side) {
        (Step::Start, Side::New) => start_new(placement).await,
        (Step::Start, Side::Old) => start_old(placement).await,
        (Step::OutlastStop, _) => outlast_a_stop(placement, side).await,
        (Step::Resume, _) => resume(placement, side).await,
        (Step::EnterMaintenance, _) => take_out(placement, side).await,
        (Step::Stop, _) => stop(placement, side).await,
        (Step::Deregister, _) => deregister(placement, side).await,
        (Step::Retire, _) => retire(placement, side).await,
    }
}
