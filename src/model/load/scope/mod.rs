//! What templates can name, and the resolving of a recipe's strings in it.

mod context;
mod escapes;
mod kinds;
mod resolver;

pub(super) use context::{OfPreview, Scope, World};
pub(super) use kinds::{Resolve, Settle, meaning, resolved};
pub(super) use resolver::{Resolver, is_unresolved};
