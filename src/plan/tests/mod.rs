//! Plans as a person reads them. Each test is the story of a few hosts: what the files say, what docker has
//! there, and what would change.

mod balancers;
mod deploys;
mod leftovers;
mod names;
mod ports;
mod previews;
mod properties;
mod rollbacks;
mod scopes;
mod shown;
mod world;
