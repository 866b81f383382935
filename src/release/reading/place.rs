//! Where a record lies, and whether it has business there.

use crate::model::{Environment, HostName};

/// Where a record lies, by whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On the host itself.
    Itself,
    /// On the host that keeps its copies.
    Keeper,
    /// On another host.
    Elsewhere,
}

/// Why a record has no business where it lies.
pub enum Misplaced {
    /// It is about another host.
    Elsewhere(String),
    /// It is about no host of the inventory.
    OfNoHost(String),
}

/// What a record's place says about it.
pub fn place_of(
    environment: &Environment,
    on: &HostName,
    about: &HostName,
) -> Result<Place, Misplaced> {
    match environment.keeper_of(about) {
        None => Err(Misplaced::OfNoHost(format!(
            "it is about `{}`, which is no host of the inventory",
            about.escape_debug()
        ))),
        Some(_) if on == about => Ok(Place::Itself),
        Some(keeper) if keeper == on => Ok(Place::Keeper),
        Some(keeper) => Err(Misplaced::Elsewhere(format!(
            "it is about `{about}`, whose records lie there and on `{keeper}`"
        ))),
    }
}
