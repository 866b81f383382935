//! What one look saw, in the machine's words.

use std::time::Duration;

use crate::{
    hosts::HostError,
    rollout::machine::{Observation, Verdict},
    text,
};

/// The longest that one look may take. The gate's own deadline is the machine's.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// It holds.
pub(super) fn holds(detail: impl Into<String>) -> Observation {
    observation(Verdict::Holds, detail)
}

/// It does not hold yet.
pub(super) fn not_yet(detail: impl Into<String>) -> Observation {
    observation(Verdict::NotYet, detail)
}

/// It can never hold.
pub(super) fn never(detail: impl Into<String>) -> Observation {
    observation(Verdict::Never, detail)
}

fn observation(verdict: Verdict, detail: impl Into<String>) -> Observation {
    Observation {
        verdict,
        detail: detail.into(),
    }
}

/// A gate that could not be looked at does not hold, and may hold at the next look: that one has a new connection
/// where this one's was lost.
pub(super) fn could_not_look(error: &HostError) -> Observation {
    not_yet(text::chain(error).join(": "))
}
