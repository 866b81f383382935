//! Images: which one a reference means now, and how it gets to every host before anything changes.

mod delivery;
mod distribute;
mod from_another_host;
mod ids;
mod logins;
mod pins;
mod present;
#[cfg(test)]
mod tests;
mod transfer;
mod wanted;

pub use distribute::{distribute, needed};
pub use ids::{note as note_ids, recall as recall_ids};
pub use logins::Logins;
pub use pins::{Lookup, resolve};
pub use wanted::{Pins, Wanted};
