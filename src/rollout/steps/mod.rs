//! The steps of a rollout: what is done once to the containers of a slot. Every step is idempotent, as a revert
//! may ask for what is already so.

mod logs;
mod make;
mod names;
mod outlast;
mod perform;
mod ports;
mod retire;
mod start;
mod stop;
mod tasks;
mod traffic;

pub use logs::last_logs;
pub use perform::perform;
pub use tasks::before_once;
