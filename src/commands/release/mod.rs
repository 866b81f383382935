//! Commands that bring an environment to a state, or say what that would take.

mod again;
mod deploy;
mod plan;
mod restart;
mod rollback;
mod run;
mod start;
mod stop;

pub use self::{
    deploy::Deploy, plan::Plan, restart::Restart, rollback::Rollback, run::Run, start::Start,
    stop::Stop,
};
