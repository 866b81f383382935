//! Commands that operate an environment by hand, beside its releases.

mod check;
pub mod down;
mod exec;
mod lock;
mod prune;
mod setup;
mod unlock;

pub use self::{
    check::Check, down::Down, exec::Exec, lock::Lock, prune::Prune, setup::Setup, unlock::Unlock,
};
