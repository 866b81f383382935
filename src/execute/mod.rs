//! Does things: connects, locks, observes, performs plans and rollouts, records. It owns the sessions, the
//! time, the lock and what Ctrl-C means; what is to be done is decided by [`crate::plan`] and
//! [`crate::rollout`].

mod deploy;
mod desired;
mod operate;
mod prune;
mod rollouts;
mod show;

pub use deploy::{DeployRequest, Goal, deploy};
pub use operate::{
    Confirm, DownRequest, ExecRequest, LogsRequest, check, down, exec, history, lock, logs,
    run_task, status, unlock,
};
