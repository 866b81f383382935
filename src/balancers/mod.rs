//! Who routes requests to containers, and how one is taken out of their reach.

pub mod maintenance;
