//! What templates can name, and the resolving of a recipe's strings in it.

mod context;
mod escapes;
mod resolver;

pub(super) use context::{Scope, World};
pub(super) use resolver::Resolver;
