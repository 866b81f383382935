//! The rollout: which slot may go when, and what a failure means for the others.
//!
//! `state` is what is known, `inputs` says what an input means, `next` says which slot goes next, `monitoring` watches
//! updated slots until the end, `failures` says what a failure means, `needs_hand` what is given up, and
//! `finish` how it all ended.

mod failures;
mod finish;
mod inputs;
mod monitoring;
mod needs_hand;
mod next;
mod state;

pub use state::Rollout;
