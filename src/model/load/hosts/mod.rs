//! The hosts of an inventory, ranges written out, each with its vars.

mod addresses;
mod groups;
mod member;
mod ranges;
mod resolve;
mod ssh;
pub(super) mod vars;

pub(super) use addresses::is_address;
pub(super) use member::{Member, Members};
pub(super) use resolve::resolve;
pub use vars::{Overrides, is_var_name};
