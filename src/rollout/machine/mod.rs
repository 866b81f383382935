//! The rollout of one recipe as a state machine: no I/O, no clock.
//!
//! [`Rollout::step`] takes one [`Input`] and the time since the rollout began, and returns the [`Action`]s to
//! carry out next. `rollout/driver` carries them out and reports back; it decides nothing.
//!
//! `sequence` has the stages of one replacement in their order, `run` takes one slot through them, and
//! `scheduler` decides which slot may go next and what a failure means for the others.

mod action;
mod failure;
mod gate;
mod input;
mod outcome;
mod policy;
mod run;
mod scheduler;
mod sequence;
#[cfg(test)]
mod simulation;
mod slot;
mod step;
#[cfg(test)]
mod transcripts;

pub use action::Action;
pub use gate::{Gate, Observation, Purpose, Verdict, WatchEnd};
pub use input::Input;
pub use outcome::{Failure, Finish, RolloutEnd, SlotState};
pub use policy::{DrainPolicy, Policy};
pub use scheduler::Rollout;
pub use slot::{Outgoing, Replacement, Side, Slot};
pub use step::Step;
