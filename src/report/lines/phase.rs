//! What a phase is called.

use crate::event::Phase;

/// What a phase is called while it lasts.
pub(crate) fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Preflight => "checking the hosts",
        Phase::Setup => "setting up",
        Phase::Lock => "taking the lock",
        Phase::Observe => "reading what runs",
        Phase::Plan => "planning",
        Phase::Pull => "getting the images",
        Phase::Deploy => "deploying",
        Phase::Revert => "reverting",
        Phase::Record => "recording the release",
        Phase::Prune => "removing what is no longer needed",
    }
}
