//! Commands that operate an environment by hand, beside its releases.

mod check;
mod down;
mod exec;
mod lock;
mod unlock;

pub use self::{check::Check, down::Down, exec::Exec, lock::Lock, unlock::Unlock};
