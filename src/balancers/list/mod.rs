//! Balancers whose list of backends is written: a file on each of their hosts, or in each of their containers.

mod lists;
mod router;
mod target;
#[cfg(test)]
mod tests;

pub use lists::BackendLists;
pub(super) use router::ListRouter;
pub use target::ListTarget;
