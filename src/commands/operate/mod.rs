//! Commands that operate an environment by hand, beside its releases.

mod check;
mod console;
mod down;
mod exec;
mod lock;
mod prune;
mod setup;
mod shell;
mod unlock;

pub use self::{
    check::Check, console::Console, down::Down, exec::Exec, lock::Lock, prune::Prune, setup::Setup,
    shell::Shell, unlock::Unlock,
};
