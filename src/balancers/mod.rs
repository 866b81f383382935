//! Who routes requests to containers, and how one is taken out of their reach.
//!
//! A rollout knows balancers as a [`Routing`]: what they route to, taking a container out, putting it back.
//! Behind it is one [`RequestRouter`] for each way in which balancers learn of containers. A further way is one
//! file here that implements the trait, and one line in `routing`.

mod backend;
mod commands;
mod consul;
mod leaves;
mod list;
pub mod maintenance;
mod router;
mod routing;
mod upstreams;

pub use backend::Backend;
pub use commands::CommandTarget;
pub use consul::service_id;
pub use list::{BackendLists, ListTarget};
pub use router::{Answer, Registration, RequestRouter, Rotation, Routes, Switch};
pub use routing::Routing;
pub use upstreams::Upstreams;
