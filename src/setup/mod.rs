//! Makes a fresh host one that can be deployed to: Docker from the distribution's own packages, started now and at
//! boot, for the login account. Looks first, so that what is there is left alone.

mod clock;
mod distribution;
mod found;
mod look;
mod perform;
mod plan;
mod steps;

pub use self::{
    clock::warn_of_clocks, found::Found, look::look, perform::perform, plan::HostPlan, steps::Step,
};
